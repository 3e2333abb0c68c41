#!/usr/bin/env python3
"""AMP on mjlab's Go1 from Python: a stock task, reference clips, and ``with_amp``. Needs mjlab; a GPU trains in minutes.

    python examples/mjlab_go1.py trot.npz [pace.npz ...]

docs/your_robot.md shows how to get a trot. The command ``amp-train --config configs/go1.yaml`` does the same.
"""

from __future__ import annotations

import argparse
import dataclasses

import mjlab.tasks  # noqa: F401  (registers mjlab's tasks)
import torch
from mjlab.envs import ManagerBasedRlEnv
from mjlab.rl import RslRlVecEnvWrapper
from mjlab.tasks.registry import load_env_cfg, load_rl_cfg, load_runner_cls

from amp_runner.mjlab import runner_class, with_amp

TASK = "Mjlab-Velocity-Flat-Unitree-Go1"
GAIT_REWARDS = (
    "upright", "pose", "body_ang_vel", "angular_momentum", "air_time", "foot_clearance", "foot_swing_height", "foot_slip",
    "soft_landing",
)  # fmt: skip
"""Terms that prescribe a gait, which the clips replace."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("motions", nargs="+", metavar="CLIP", help="clips of the Go1 (.npz)")
    parser.add_argument("--num_envs", type=int, default=4096, help="robots (default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=300, help="training iterations (default: %(default)s)")
    parser.add_argument("--log_dir", default="logs/mjlab_go1", help="folder of the run (default: %(default)s)")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(argv)

    env_cfg, agent_cfg = load_env_cfg(TASK), load_rl_cfg(TASK)
    print("\n".join(with_amp(env_cfg, agent_cfg, args.motions)))
    amp_cfg = agent_cfg.algorithm.amp_cfg
    amp_cfg.discriminator.input_noise = 0.8
    amp_cfg.discriminator.ignored_features = ["root_lin_vel"]  # the clips have few speeds, the commands all between them

    for name in GAIT_REWARDS:
        env_cfg.rewards.pop(name)
    command = env_cfg.commands["twist"]
    command.ranges.lin_vel_x, command.ranges.lin_vel_y, command.ranges.ang_vel_z = (0.4, 1.2), (-0.1, 0.1), (-0.6, 0.6)
    command.rel_standing_envs, command.heading_command, command.ranges.heading = 0.0, False, None
    env_cfg.curriculum.pop("command_vel", None)  # it would widen the ranges
    env_cfg.scene.num_envs = args.num_envs

    env = RslRlVecEnvWrapper(ManagerBasedRlEnv(env_cfg, device=args.device), clip_actions=agent_cfg.clip_actions)
    agent = dataclasses.asdict(agent_cfg) | {"logger": "tensorboard"}
    runner = runner_class(load_runner_cls(TASK))(env, agent, args.log_dir, args.device)
    runner.learn(args.iterations, init_at_random_ep_len=True)
    env.close()


if __name__ == "__main__":
    main()
