#!/usr/bin/env python3
"""Train the ostrich with amp-rsl-rl, for the comparison in benchmarks/results.md.

    pip install amp-rsl-rl==2.2.3
    python benchmarks/train_amp_rsl_rl.py --motion motions/walk.npz --out outputs/amp_rsl_rl [--reward_scale 0.12]

amp-rsl-rl runs as it is, on the task and with the PPO of configs/plain_ppo.yaml. AMP observations (joint positions and
velocities, base velocities in the base's frame; two steps of them), discriminator, replay buffer and mixing of rewards are
its own. amp-eval takes its checkpoints: outputs/amp_rsl_rl/model_300.pt and so on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from amp_rsl_rl.runners import AMPOnPolicyRunner
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab.envs import mdp
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from isaaclab_tasks.utils import resolve_task_config

import ostrich_env  # noqa: F401  (registers the tasks)
from amp_runner import AMPStateSpec, Motion, load_motion
from amp_runner.cli.overrides import preset_overrides
from amp_runner.motions.root_path import root_path
from ostrich_env.robot.description import JOINT_NAMES

TASK = "Isaac-Velocity-Flat-Ostrich-v0"
_JOINTS = SceneEntityCfg("robot", joint_names=list(JOINT_NAMES), preserve_order=True)


@configclass
class AMPObservationsCfg(ObservationGroupCfg):
    """What amp-rsl-rl's loader makes of a clip, in its order."""

    joint_pos = ObservationTermCfg(func=mdp.joint_pos, params={"asset_cfg": _JOINTS})
    joint_vel = ObservationTermCfg(func=mdp.joint_vel, params={"asset_cfg": _JOINTS})
    base_lin_vel = ObservationTermCfg(func=mdp.base_lin_vel)
    base_ang_vel = ObservationTermCfg(func=mdp.base_ang_vel)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", required=True, help="reference motion (.npz)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the converted clips and the checkpoints")
    parser.add_argument("--reward_scale", type=float, default=1.0, help="factor of the style reward (default: %(default)s)")
    parser.add_argument("--num_envs", type=int, default=8192)
    parser.add_argument("--max_iterations", type=int, default=301)
    parser.add_argument("--seed", type=int, default=1)
    add_launcher_args(parser)
    parser.set_defaults(device="cuda:0" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    sys.argv[1:] = preset_overrides([str(Path(__file__).parents[1] / "configs" / "plain_ppo.yaml")])
    env_cfg, agent_cfg = resolve_task_config(TASK, "rsl_rl_cfg_entry_point")
    env_cfg.scene.num_envs, env_cfg.seed, env_cfg.sim.device = args.num_envs, args.seed, args.device
    names = convert(load_motion(args.motion), AMPStateSpec.from_env_cfg(env_cfg), args.out)
    env_cfg.observations.amp = AMPObservationsCfg(enable_corruption=False, concatenate_terms=True)
    env_cfg.events.reset_to_reference = None  # it takes the clips' layout from the group that was exchanged
    agent = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version()).to_dict()
    train(env_cfg, peer_cfg(agent, names, args), args)


def convert(motion: Motion, spec: AMPStateSpec, folder: Path) -> list[str]:
    """Write every clip of a motion in amp-rsl-rl's format; returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, states in enumerate(motion.clips()):
        root = root_path(states, spec, motion.dt)
        clip = {
            "joints_list": list(motion.joint_names),
            "joint_positions": list(states[:, spec.features["joint_pos"]]),
            "root_position": list(root.position),
            "root_quaternion": list(root.rotation.as_quat()),
            "fps": 1.0 / motion.dt,
        }
        names.append(f"clip_{number}")
        np.save(folder / f"{names[-1]}.npy", clip)
    return names


def peer_cfg(agent: dict[str, Any], names: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """amp-rsl-rl's configuration: the task's PPO, and its own AMP."""
    return agent | {
        "algorithm": agent["algorithm"] | {"class_name": "AMP_PPO"},
        "discriminator": {
            "hidden_dims": [1024, 512],
            "reward_scale": args.reward_scale,
            "loss_type": "BCEWithLogits",
            "empirical_normalization": True,
        },
        "dataset": {
            "amp_data_path": str(args.out),
            "datasets": dict.fromkeys(names, 1.0),
            "slow_down_factor": 1,
            "amp_joint_names": list(JOINT_NAMES),
        },
        "save_interval": 20,
    }


def train(env_cfg: Any, cfg: dict[str, Any], args: argparse.Namespace) -> None:
    """Train, with a checkpoint every 20 iterations."""
    torch.manual_seed(args.seed)
    with launch_simulation(env_cfg, args):
        env = RslRlVecEnvWrapper(gymnasium.make(TASK, cfg=env_cfg))
        runner = AMPOnPolicyRunner(env, cfg, log_dir=str(args.out), device=args.device)
        runner.set_export_policy_fn(lambda *_, **__: None)  # ONNX files are not needed
        runner.learn(args.max_iterations, init_at_random_ep_len=True)
        env.close()


if __name__ == "__main__":
    main()
