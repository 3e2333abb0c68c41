"""Resets the ostrich to its reference and prints the resulting states."""

import argparse
import json

import gymnasium
import numpy as np
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import ostrich_env  # noqa: F401
from amp_runner import AMPStateSpec
from amp_runner.isaaclab.access import push_robots
from ostrich_env.robot.kinematics import foot_clearance

TASK = "Isaac-Velocity-Flat-Ostrich-v0"
NUM_ENVS = 64


def main(argv: list[str]) -> None:
    (motion,) = argv
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point")
    cfg.scene.num_envs, cfg.sim.device, cfg.seed = NUM_ENVS, "cpu", 0
    event = cfg.events.reset_to_reference.params
    event["motions"], event["probability"], event["command_name"] = motion, 1.0, "base_velocity"
    features = AMPStateSpec.from_env_cfg(cfg).features
    with launch_simulation(cfg, args):
        env = gymnasium.make(TASK, cfg=cfg).unwrapped
        obs, _ = env.reset()
        state, command = obs["amp"], env.command_manager.get_command("base_velocity")
        linear, angular = state[:, features["root_lin_vel"]], state[:, features["root_ang_vel"]]
        velocity = torch.stack([linear[:, 0], linear[:, 1], angular[:, 2]], dim=1)
        joints, gravity = (state[:, features[n]].numpy() for n in ("joint_pos", "projected_gravity"))
        clearance = foot_clearance(joints, gravity, state[:, 0].numpy())
        heading = env.scene["robot"].data.heading_w.torch
        result = {
            "states": state.tolist(),
            "commands": command.tolist(),
            "velocity_minus_command": (velocity - command).abs().mean(dim=0).tolist(),
            "lowest_foot": float(clearance.min()),
            "heading_spread": float(heading.std()),
            "standing": int(env.command_manager.get_term("base_velocity").is_standing_env.sum()),
        }
        change = np.zeros((NUM_ENVS, 2))
        change[3] = [0.4, -0.2]
        push_robots(env.scene["robot"], change)
        pushed = env.observation_manager.compute_group("amp")[:, features["root_lin_vel"]]
        result["pushed"] = (pushed - linear).tolist()
        print("RESULT " + json.dumps(result))
        env.close()
