"""Recorded physics on a CPU."""

import pytest
import torch
import warp
from mjlab.envs import ManagerBasedRlEnv
from mjlab.sim.sim import Simulation

from amp_runner.mjlab import cpu_replay
from tests.mjlab.conftest import fresh


def states_of_steps(steps=6, robots=3):
    """Positions after each step of random actions, (T, N, nq)."""
    env_cfg, _ = fresh()
    env_cfg.scene.num_envs, env_cfg.seed = robots, 0
    env = ManagerBasedRlEnv(env_cfg, device="cpu")
    env.reset()
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(steps):
        env.step(0.3 * torch.randn(robots, env.action_manager.total_action_dim, generator=generator))
        found.append(env.sim.data.qpos.clone())
    uses_graph = env.sim.use_cuda_graph
    env.close()
    return torch.stack(found), uses_graph


def test_replayed_steps_are_the_same_to_the_last_bit(monkeypatch):
    cpu_replay.replay_physics_on_cpu()
    replayed, uses_graph = states_of_steps()
    assert uses_graph

    def refuse(*args, **kwargs):
        raise RuntimeError("cannot be recorded")

    monkeypatch.setattr(warp, "ScopedCapture", refuse)
    stepped, uses_graph = states_of_steps()
    assert not uses_graph, "what cannot be recorded runs as before"
    assert torch.equal(replayed, stepped)


@pytest.mark.parametrize("name", cpu_replay.EXCHANGED_NAMES)
def test_mjlab_still_has_what_is_exchanged(name):
    assert callable(vars(Simulation)[name])
