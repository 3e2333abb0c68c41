"""Records the gait of an exported policy in plain MuJoCo, for the same measures as in Isaac Lab."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.deploy.policy import DeployedPolicy
from amp_runner.errors import ConfigError
from amp_runner.evaluation.evaluate import PUSH_INTERVAL, PUSH_SPEED, command_grid
from amp_runner.evaluation.gait_metrics import CONTACT_FORCE, GaitRecording
from amp_runner.state import AMPStateSpec


def record_mujoco_gait(
    policy: DeployedPolicy, robot: MujocoRobot, seconds: float, grid: np.ndarray, num_envs: int, spec: AMPStateSpec
) -> tuple[GaitRecording, np.ndarray]:
    """Run a policy on a grid of commands, one robot after the other.

    Args:
        policy: the exported policy.
        robot: its robot.
        seconds: length of each recording [s].
        grid: commands, (C, 3).
        num_envs: N, number of robots.
        spec: layout of the recorded states, without key bodies and feet.

    Returns:
        The recording, and which robots were pushed, (N,); the first half of the robots is not pushed.

    Raises:
        ConfigError: the task did not declare its feet.
    """
    if robot.description.robot.feet is None:
        raise ConfigError(
            "the export lacks the feet of its robot, which gait measures need: declare them with FeetCfg in the task, and "
            "export again"
        )
    dt = robot.description.control_dt
    commands, pushed = command_grid(num_envs, grid)
    speeds = np.random.default_rng(0).uniform(-PUSH_SPEED, PUSH_SPEED, (int(seconds / PUSH_INTERVAL), num_envs, 2))
    pushes = pushed[None, :, None] * speeds
    walks = [
        _walk(policy, robot, command, round(seconds / dt), pushes[:, number])
        for number, command in enumerate(tqdm(commands, desc="evaluating", unit="robot", mininterval=1.0))
    ]
    for walk in walks:
        walk["states"] = robot.amp_states(walk.pop("qpos"), walk.pop("qvel"), spec)
    arrays = {name: np.stack([walk[name] for walk in walks], axis=1) for name in walks[0]}
    weight = float(robot.model.body_subtreemass[0]) * 9.81
    return GaitRecording(commands=commands, weight=weight, dt=dt, spec=spec, **arrays), pushed


def _walk(
    policy: DeployedPolicy, robot: MujocoRobot, command: np.ndarray, steps: int, pushes: np.ndarray
) -> dict[str, np.ndarray]:
    policy.reset()
    robot.reset()
    begun, frames, interval = 0, [], round(PUSH_INTERVAL / robot.description.control_dt)
    for step in range(steps):
        robot.step(policy(robot.signals(command)))
        fallen, feet = robot.fallen, robot.feet()
        feet["foot_contact"] = feet.pop("foot_force") > CONTACT_FORCE
        frame = {
            "qpos": robot.data.qpos.copy(),
            "qvel": robot.data.qvel.copy(),
            "actions": policy.last_action,
            "falls": fallen,
            "episode_time": 0.0 if fallen else (step - begun) * robot.description.control_dt,
            "power": robot.power(),
            **feet,
        }
        frames.append(frame)
        if fallen:
            policy.reset()
            robot.reset()
            begun = step + 1
        number, remainder = divmod(step + 1, interval)
        if remainder == 0 and number <= len(pushes):
            robot.push(pushes[number - 1])
    arrays = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
    return arrays
