#!/usr/bin/env python3
"""Time of an environment step on a CPU, with physics that are recorded and replayed, or as Isaac Lab steps them.

python benchmarks/cpu_step.py --num_envs 256 [--without_replay]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import gymnasium
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import ostrich_env  # noqa: F401  (registers the tasks)
from amp_runner.isaaclab.cpu_replay import replay_physics_on_cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="Isaac-Velocity-Flat-Ostrich-v0", help="(default: %(default)s)")
    parser.add_argument("--num_envs", type=int, default=256, help="robots (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--without_replay", action="store_true", help="as Isaac Lab steps the physics")
    add_launcher_args(parser)
    parser.set_defaults(device="cpu")
    args = parser.parse_args()
    sys.argv = sys.argv[:1]  # Hydra reads the rest
    if not args.without_replay:
        replay_physics_on_cpu()
    cfg, _ = resolve_task_config(args.task, "rsl_rl_cfg_entry_point")
    cfg.scene.num_envs, cfg.sim.device, cfg.seed = args.num_envs, "cpu", 0
    times = []
    with launch_simulation(cfg, args):
        env = gymnasium.make(args.task, cfg=cfg).unwrapped
        env.reset()
        with torch.inference_mode():
            for _ in range(args.steps):
                actions = 0.3 * torch.randn(args.num_envs, env.action_manager.total_action_dim)
                began = time.perf_counter()
                env.step(actions)
                times.append(time.perf_counter() - began)
        env.close()
    step = statistics.median(times[5:])
    print(f"{args.num_envs} robots: {1e3 * step:.1f} ms a step, {args.num_envs / step:,.0f} steps/s")


if __name__ == "__main__":
    main()
