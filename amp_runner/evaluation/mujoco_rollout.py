"""Records the gait of an exported policy in plain MuJoCo, for the same measures as in Isaac Lab."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.deploy.policy import DeployedPolicy
from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import CONTACT_FORCE, GaitRecording
from amp_runner.evaluation.trial import Trial
from amp_runner.state import AMPStateSpec


def record_mujoco_gait(policy: DeployedPolicy, robot: MujocoRobot, trial: Trial, spec: AMPStateSpec) -> GaitRecording:
    """Run a policy in a trial, one robot after the other.

    Args:
        policy: the exported policy.
        robot: its robot.
        trial: commands and pushes of the robots.
        spec: layout of the recorded states, without key bodies and feet.

    Raises:
        ConfigError: the task did not declare its feet.
    """
    if robot.description.robot.feet is None:
        raise ConfigError(
            "the export lacks the feet of its robot, which gait measures need: declare them with FeetCfg in the task, and "
            "export again"
        )
    dt = robot.description.control_dt
    walks = [
        _walk(policy, robot, trial, number)
        for number in tqdm(range(len(trial.commands)), desc="evaluating", unit="robot", mininterval=1.0)
    ]
    for walk in walks:
        walk["states"] = robot.amp_states(walk.pop("qpos"), walk.pop("qvel"), spec)
    arrays = {name: np.stack([walk[name] for walk in walks], axis=1) for name in walks[0]}
    weight = float(robot.model.body_subtreemass[0]) * 9.81
    return GaitRecording(commands=trial.commands, weight=weight, dt=dt, spec=spec, **arrays)


def _walk(policy: DeployedPolicy, robot: MujocoRobot, trial: Trial, number: int) -> dict[str, np.ndarray]:
    """Record one robot of the trial; arrays (T, ...)."""
    policy.reset()
    robot.reset()
    begun, frames, dt = 0, [], robot.description.control_dt
    for step in range(round(trial.seconds / dt)):
        robot.step(policy(robot.signals(trial.commands[number])))
        fallen, feet = robot.fallen, robot.feet()
        feet["foot_contact"] = feet.pop("foot_force") > CONTACT_FORCE
        frame = {
            "qpos": robot.data.qpos.copy(),
            "qvel": robot.data.qvel.copy(),
            "actions": policy.last_action,
            "falls": fallen,
            "episode_time": 0.0 if fallen else (step - begun) * dt,
            "power": robot.power(),
            **feet,
        }
        frames.append(frame)
        if fallen:
            policy.reset()
            robot.reset()
            begun = step + 1
        if (push := trial.push_after(step, dt)) is not None:
            robot.push(push[number])
    arrays = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
    return arrays
