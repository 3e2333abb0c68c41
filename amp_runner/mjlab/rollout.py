"""Records the gait of a policy in mjlab, for the measures of :mod:`amp_runner.evaluation.gait_metrics`."""

from __future__ import annotations

from typing import Any

import torch

from amp_runner.evaluation.gait_metrics import CONTACT_FORCE, GaitRecording
from amp_runner.evaluation.recording import record_trial
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
    unwrapped = sim.env.unwrapped
    robot, probe = unwrapped.scene["robot"], FootProbe(unwrapped)
    joints = robot.find_joints(spec.joint_names, preserve_order=True)[0]
    ground_sensor = unwrapped.cfg.observations[AMP_GROUP].terms["state"].params.get("ground_sensor")

    def read() -> dict[str, torch.Tensor]:
        position, quat, linear, angular = root_state(robot)
        height = position[:, 2] - ground_height(unwrapped, ground_sensor)
        inputs = robot.data.joint_pos[:, joints], linear, angular, robot.data.joint_vel[:, joints]
        feet = probe.read()
        contact = feet.pop("foot_force") > CONTACT_FORCE
        return {"states": amp_state(height, quat, *inputs, layout=spec.layout), "foot_contact": contact, **feet}

    return record_trial(
        sim.env,
        policy,
        trial,
        spec,
        weight=probe.weight,
        restart=restart_observations,
        read=read,
        push=lambda change: push_robots(robot, change),
    )
