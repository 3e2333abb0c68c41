"""Steps the ostrich with random actions, with physics that are recorded and replayed, and as Isaac Lab steps them."""

import argparse
from unittest import mock

import gymnasium
import torch
import warp
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import ostrich_env  # noqa: F401
from amp_runner.isaaclab import cpu_replay

NUM_ENVS, STEPS = 4, 12


def main(argv: list[str]) -> None:
    task, can_record = argv
    cpu_replay.replay_physics_on_cpu()
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point")
    cfg.scene.num_envs, cfg.sim.device, cfg.seed = NUM_ENVS, "cpu", 0
    capture = warp.ScopedCapture if can_record == "yes" else mock.Mock(side_effect=RuntimeError("cannot be recorded"))
    with launch_simulation(cfg, args), mock.patch.object(warp, "ScopedCapture", capture):
        env = gymnasium.make(task, cfg=cfg).unwrapped
        env.reset()
        generator = torch.Generator().manual_seed(0)
        found = [env.step(0.3 * torch.randn(NUM_ENVS, 6, generator=generator))[0]["amp"].clone() for _ in range(STEPS)]
        torch.save(torch.stack(found), "states.pt")
        print("RESULT", [type(recording).__name__ for recording in cpu_replay._recordings.values()])
        env.close()
