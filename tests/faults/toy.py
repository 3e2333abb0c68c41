"""A small AMP training that is not a test: the toy of the tests on a clip of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from amp_runner import AMPOnPolicyRunner, Motion, save_motion
from tests.conftest import FRAME_DIM, CountingEnv, train_cfg


class EndlessEnv(CountingEnv):
    """Counts its episodes modulo ten, so that states do not grow for ever."""

    def step(self, actions: torch.Tensor) -> tuple:
        result = super().step(actions)
        self.episode %= 10
        return result


def make_runner(folder: Path, seed: int = 0, **changes: object) -> AMPOnPolicyRunner:
    """A runner that trains into ``folder``; ``changes`` are settings of the runner, such as ``save_interval``."""
    clip = folder.parent / "clip.npz"
    if not clip.exists():
        states = np.random.default_rng(0).normal(size=(30, FRAME_DIM)).astype(np.float32)
        save_motion(Motion(path=str(clip), states=states, clip_lengths=np.array([10, 20]), dt=0.02))
    small = {"hidden_dims": [16], "num_updates": 2, "batch_size": 16}
    amp_cfg = {"motions": str(clip), "num_frames": 3, "replay_size": 64, "discriminator": small}
    torch.manual_seed(seed)
    return AMPOnPolicyRunner(EndlessEnv(), train_cfg(amp_cfg) | changes, log_dir=str(folder))
