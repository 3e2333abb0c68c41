"""Walks an exported policy through commands in plain MuJoCo, for the same gait measures as in Isaac Lab."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.deploy.policy import DeployedPolicy
from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import Rollout


def walk_commands(
    policy: DeployedPolicy,
    robot: MujocoRobot,
    commands: np.ndarray,
    seconds: float,
    pushes: np.ndarray,
    push_interval: float,
) -> Rollout:
    """Walk one robot after the other, each for one command.

    Args:
        policy: the exported policy.
        robot: its robot; one does for all.
        commands: (N, 3).
        seconds: length of each walk [s].
        pushes: changes of the base's velocity, one after each interval, (P, N, 2) [m/s].
        push_interval: time between pushes [s].

    Raises:
        ConfigError: the task did not say where its feet are, or how its AMP state is laid out.
    """
    spec = robot.description.amp_spec
    if spec is None or robot.description.robot.feet is None:
        raise ConfigError(
            "the export does not know the AMP state or the feet of its robot, which gait measures need: declare them with "
            "AMPObsGroupCfg and FeetCfg in the task, and export again"
        )
    dt = robot.description.control_dt
    walks = [
        _walk(policy, robot, command, round(seconds / dt), pushes[:, number], round(push_interval / dt))
        for number, command in enumerate(tqdm(commands, desc="walking", unit="robot", mininterval=1.0))
    ]
    arrays = {name: np.stack([walk[name] for walk in walks], axis=1) for name in walks[0]}
    weight = float(robot.model.body_subtreemass[0]) * 9.81
    return Rollout(commands=np.asarray(commands), weight=weight, dt=dt, spec=spec, **arrays)


def _walk(
    policy: DeployedPolicy, robot: MujocoRobot, command: np.ndarray, steps: int, pushes: np.ndarray, interval: int
) -> dict[str, np.ndarray]:
    policy.reset()
    robot.reset()
    begun, frames = 0, []
    for step in range(steps):
        robot.step(policy(robot.signals(command)))
        fallen = robot.fallen
        frame = {
            "states": robot.amp_state(),
            "actions": policy.last_action,
            "falls": fallen,
            "episode_time": 0.0 if fallen else (step - begun) * robot.description.control_dt,
            "power": robot.power(),
            **robot.feet(),
        }
        frames.append(frame)
        if fallen:
            policy.reset()
            robot.reset()
            begun = step + 1
        number, left = divmod(step + 1, interval)
        if left == 0 and number <= len(pushes):
            robot.push(pushes[number - 1])
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
