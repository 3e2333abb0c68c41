"""Records the gait of a policy in mjlab, for the measures of :mod:`amp_runner.evaluation.gait_metrics`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from amp_runner.env_interface import velocity_command
from amp_runner.evaluation.gait_metrics import CONTACT_FORCE, GaitRecording
from amp_runner.evaluation.trial import Trial
from amp_runner.mjlab.access import restart_observations
from amp_runner.mjlab.feet import FootProbe
from amp_runner.mjlab.mdp import ground_height, push_robots, root_state
from amp_runner.mjlab.simulation import Simulation
from amp_runner.state import AMP_GROUP, AMPStateSpec, amp_state


def record_gait(sim: Simulation, policy: Any, trial: Trial, spec: AMPStateSpec) -> GaitRecording:
    """Run a policy in a trial.

    Args:
        sim: the environment.
        policy: the actor.
        trial: commands and pushes of the environment's robots.
        spec: layout of the recorded states, without key bodies and feet.

    Raises:
        ConfigError: the task has no velocity command, or no contact sensor for the feet.
    """
    env, unwrapped = sim.env, sim.env.unwrapped
    dt, robot = unwrapped.step_dt, unwrapped.scene["robot"]
    joints = robot.find_joints(spec.joint_names, preserve_order=True)[0]
    commands = torch.tensor(trial.commands, dtype=torch.float32, device=env.device)
    ground_sensor = unwrapped.cfg.observations[AMP_GROUP].terms["state"].params.get("ground_sensor")
    command_term, probe = velocity_command(unwrapped), FootProbe(unwrapped)
    frames: list[dict[str, torch.Tensor]] = []
    command_term.vel_command_b[:] = commands
    obs = restart_observations(env)
    with torch.inference_mode():
        for step in tqdm(range(round(trial.seconds / dt)), desc="evaluating", unit="step", mininterval=1.0):
            actions = policy(obs)
            time = unwrapped.episode_length_buf * dt
            obs, _, dones, extras = env.step(actions)
            policy.reset(dones)
            command_term.vel_command_b[:] = commands
            position, quat, linear, angular = root_state(robot)
            height = position[:, 2] - ground_height(unwrapped, ground_sensor)
            position_vel = robot.data.joint_pos[:, joints], linear, angular, robot.data.joint_vel[:, joints]
            feet = probe.read()
            frames.append(
                {
                    "states": amp_state(height, quat, *position_vel, layout=spec.layout),
                    "actions": actions.clone(),
                    "falls": dones.bool() & ~extras["time_outs"],
                    "episode_time": torch.where(dones.bool(), 0.0, time),
                    "foot_contact": feet.pop("foot_force") > CONTACT_FORCE,
                    **feet,
                }
            )
            if (push := trial.push_after(step, dt)) is not None:
                push_robots(robot, push)
    arrays = {name: torch.stack([frame[name] for frame in frames]).cpu().numpy() for name in frames[0]}
    return GaitRecording(commands=trial.commands.astype(np.float32), weight=probe.weight, dt=dt, spec=spec, **arrays)
