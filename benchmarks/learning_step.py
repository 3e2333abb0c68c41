#!/usr/bin/env python3
"""Time AMP's learning step beside plain PPO's, on random rollouts without a simulator.

python benchmarks/learning_step.py [--num_envs 256 4096] [--device cpu] [--motion motions/walk.npz] [--json FILE]

All algorithms run in one process and take turns, so that a machine that slows down slows all of them. The learning step is
everything between two rollouts: returns and update, for AMP with its discriminator. An iteration also holds the rollout's
bookkeeping; the environment costs next to nothing. amp-rsl-rl takes part if it is installed.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

from amp_runner import AMPOnPolicyRunner, load_motion

OBSERVATIONS, ACTIONS, STEP_DT, WARM_UP = 135, 6, 0.02, 4
CFG = {
    "num_steps_per_env": 24,
    "save_interval": 1000,
    "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
    "actor": {
        "class_name": "MLPModel",
        "hidden_dims": [256, 128, 64],
        "activation": "elu",
        "obs_normalization": True,
        "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0},
    },
    "critic": {"class_name": "MLPModel", "hidden_dims": [256, 128, 64], "activation": "elu", "obs_normalization": True},
    "algorithm": {"class_name": "PPO", "num_learning_epochs": 5, "num_mini_batches": 4, "rnd_cfg": None},
}


class NoiseEnv(VecEnv):
    """Observations, AMP states and rewards are noise; an episode ends by chance."""

    def __init__(self, num_envs: int, frame_dim: int, device: str) -> None:
        self.num_envs, self.num_actions, self.device, self.frame_dim = num_envs, ACTIONS, device, frame_dim
        self.max_episode_length, self.step_dt = 1000, STEP_DT
        self.cfg = SimpleNamespace(sim=SimpleNamespace(dt=STEP_DT), decimation=1)  # amp-rsl-rl reads it
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long, device=device)

    def get_observations(self) -> TensorDict:
        sizes = {"policy": OBSERVATIONS, "amp": self.frame_dim}
        groups = {name: torch.randn(self.num_envs, size, device=self.device) for name, size in sizes.items()}
        return TensorDict(groups, batch_size=[self.num_envs])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        dones = torch.rand(self.num_envs, device=self.device) < 0.001
        rewards = torch.randn(self.num_envs, device=self.device)
        return self.get_observations(), rewards, dones.long(), {"final_obs": self.get_observations()}


@dataclass
class Timing:
    """What one algorithm needed, a number per iteration."""

    learning_s: list[float] = field(default_factory=list)
    iteration_s: list[float] = field(default_factory=list)
    memory_mib: float = 0.0
    """Memory on the GPU: allocated by the algorithm, and its peak during an iteration on top of that."""


class Contestant:
    """An algorithm with its own environment."""

    def __init__(self, make_runner: Callable[[], Any], device: str) -> None:
        self.timing, self._cuda = Timing(), device.startswith("cuda")
        before = self._allocated()
        with open(os.devnull, "w") as null, redirect_stdout(null):
            self._runner = make_runner()
        self._own = self._allocated() - before
        self._learning = 0.0
        for name in ("compute_returns", "update"):
            setattr(self._runner.alg, name, self._timed(getattr(self._runner.alg, name)))

    def _allocated(self) -> int:
        return torch.cuda.memory_allocated() if self._cuda else 0

    def _now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def _timed(self, part: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            start = self._now()
            result = part(*args)
            self._learning += self._now() - start
            return result

        return run

    def iterate(self, is_counted: bool) -> None:
        """Run one iteration."""
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        base, start, self._learning = self._allocated(), self._now(), 0.0
        with open(os.devnull, "w") as null, redirect_stdout(null):
            self._runner.learn(1)
        if is_counted:
            self.timing.iteration_s.append(self._now() - start)
            self.timing.learning_s.append(self._learning)
            if self._cuda:
                self.timing.memory_mib = (self._own + torch.cuda.max_memory_allocated() - base) / 2**20


def contestants(num_envs: int, device: str, motion: str, folder: Path) -> dict[str, Contestant]:
    """Build plain PPO, AMP, and amp-rsl-rl if it is installed."""
    dim = load_motion(motion).states.shape[1]

    def ppo() -> OnPolicyRunner:
        return OnPolicyRunner(NoiseEnv(num_envs, dim, device), copy.deepcopy(CFG), log_dir=None, device=device)

    def amp() -> AMPOnPolicyRunner:
        cfg = copy.deepcopy(CFG)
        cfg["algorithm"].update(class_name="amp_runner:AMPPPO", amp_cfg={"motions": motion, "resample_motions": True})
        return AMPOnPolicyRunner(NoiseEnv(num_envs, dim, device), cfg, log_dir=None, device=device)

    made = {"PPO": Contestant(ppo, device), "AMP": Contestant(amp, device)}
    if importlib.util.find_spec("amp_rsl_rl"):
        made["amp-rsl-rl"] = Contestant(lambda: peer_runner(num_envs, device, motion, folder), device)
    return made


def peer_runner(num_envs: int, device: str, motion: str, folder: Path) -> Any:
    """amp-rsl-rl's runner with the same networks for PPO, and its own AMP."""
    from amp_rsl_rl.runners import AMPOnPolicyRunner as PeerRunner

    from benchmarks.train_amp_rsl_rl import convert, peer_cfg

    clip = load_motion(motion)
    names = convert(clip, clip.spec, folder)
    cfg = peer_cfg(copy.deepcopy(CFG), names, SimpleNamespace(reward_scale=1.0, out=folder))
    cfg["algorithm"].pop("rnd_cfg")
    cfg["dataset"]["amp_joint_names"] = list(clip.spec.joint_names)
    frame_dim = 2 * len(clip.spec.joint_names) + 6  # joint positions and velocities, linear and angular velocity
    runner = PeerRunner(NoiseEnv(num_envs, frame_dim, device), cfg, log_dir=str(folder), device=device)
    runner.save = lambda *_, **__: None
    return runner


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--num_envs", type=int, nargs="+", default=[256, 4096])
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--motion", default="motions/walk.npz", help="clip (default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write all timings to this file")
    args = parser.parse_args()
    card = torch.cuda.get_device_name() if args.device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads"
    print(f"{card}; medians of {args.iterations} iterations, ratios to PPO of the same process")
    print("environments    algorithm  learning [ms]  ratio  iteration [ms]  memory [MiB]")
    results: dict[str, Any] = {"device": card, "iterations": args.iterations}
    for num_envs in args.num_envs:
        with tempfile.TemporaryDirectory() as folder:
            made = contestants(num_envs, args.device, args.motion, Path(folder))
            for iteration in range(WARM_UP + args.iterations):
                for contestant in made.values():
                    contestant.iterate(is_counted=iteration >= WARM_UP)
        baseline = made["PPO"].timing.learning_s
        for name, contestant in made.items():
            timing = contestant.timing
            ratio = statistics.median(own / ppo for own, ppo in zip(timing.learning_s, baseline))
            learning, whole = (1e3 * statistics.median(t) for t in (timing.learning_s, timing.iteration_s))
            memory = f"{timing.memory_mib:13.0f}" if timing.memory_mib else f"{'-':>13}"
            print(f"{num_envs:>12} {name:>12} {learning:14.1f} {ratio:6.2f} {whole:15.1f} {memory}", flush=True)
            results.setdefault(str(num_envs), {})[name] = asdict(timing) | {"learning_ratio": ratio}
        del made, contestant
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
