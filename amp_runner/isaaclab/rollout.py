"""Records the gait of a policy in Isaac Lab, for the measures of :mod:`amp_runner.evaluation.gait_metrics`."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.managers import SceneEntityCfg
from isaaclab.utils.math import quat_apply

from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import CONTACT_FORCE, GaitRecording
from amp_runner.evaluation.recording import record_trial
from amp_runner.evaluation.trial import Trial
from amp_runner.isaaclab.access import push_robots, restart_observations, robot_name, robot_of
from amp_runner.isaaclab.mdp import amp_state_term
from amp_runner.isaaclab.simulation import Simulation
from amp_runner.state import AMP_GROUP, AMPStateSpec


def record_gait(sim: Simulation, policy: Any, trial: Trial, spec: AMPStateSpec) -> GaitRecording:
    """Run a policy in a trial.

    Args:
        sim: the environment.
        policy: the actor.
        trial: commands and pushes of the environment's robots.
        spec: layout of the recorded states, without key bodies and feet.

    Raises:
        ConfigError: the task has no velocity command, no robot, or does not declare its feet.
    """
    unwrapped = sim.env.unwrapped
    probe = _FootProbe(unwrapped, sim.env_cfg)
    name = robot_name(unwrapped.scene.articulations)
    joints = SceneEntityCfg(name, joint_names=list(spec.joint_names), preserve_order=True)
    joints.resolve(unwrapped.scene)
    return record_trial(
        sim.env,
        policy,
        trial,
        spec,
        weight=probe.weight,
        restart=restart_observations,
        read=lambda: {"states": _states(unwrapped, joints, spec), **probe.read()},
        push=lambda change: push_robots(probe.robot, change),
    )


def _states(unwrapped: Any, joints: SceneEntityCfg, spec: AMPStateSpec) -> torch.Tensor:
    """AMP states of the recording, (N, D), above the same ground as the observation group's."""
    group = getattr(unwrapped.cfg.observations, AMP_GROUP, None)
    ground_sensor = getattr(getattr(group, "state", None), "params", {}).get("ground_sensor")
    return amp_state_term(
        unwrapped, joints, velocity_frame=spec.velocity_frame, ground_sensor=ground_sensor, layout=spec.layout
    )


class _FootProbe:
    """Reads what gait measures need beyond the AMP state: feet and power."""

    def __init__(self, unwrapped: Any, env_cfg: Any) -> None:
        feet = getattr(env_cfg, "feet", None)
        if feet is None:
            raise ConfigError("the task does not declare its feet: add feet = FeetCfg(...) to its configuration")
        self.feet = feet
        self.origins, self.robot = unwrapped.scene.env_origins, robot_of(unwrapped)
        self.sensor = unwrapped.scene.sensors[self.feet.contact_sensor]
        names = self.feet.body_names
        self.bodies = self.robot.find_bodies(names, preserve_order=True)[0]
        self.contacts = self.sensor.find_sensors(names, preserve_order=True)[0]
        self.offset = torch.tensor(self.feet.offset, device=unwrapped.device)
        self.weight = float(self.robot.data.body_mass.torch[0].sum()) * 9.81

    def read(self) -> dict[str, torch.Tensor]:
        """Return foot velocity, height and contact, and joint power, after a step."""
        data = self.robot.data
        pose, velocity = data.body_link_pose_w.torch[:, self.bodies], data.body_link_vel_w.torch[:, self.bodies]
        arm = quat_apply(pose[..., 3:7], self.offset.expand_as(pose[..., :3]))
        height = pose[..., 2] + arm[..., 2] - self.feet.radius - self.origins[:, None, 2]
        arm[..., 2] -= self.feet.radius  # the point that touches the ground
        force = self.sensor.data.net_normal_forces_w.torch[:, self.contacts]
        return {
            "foot_velocity": velocity[..., :3] + torch.cross(velocity[..., 3:6], arm, dim=-1),
            "foot_height": height.clone(),
            "foot_contact": force.norm(dim=-1) > CONTACT_FORCE,
            "power": (data.applied_torque.torch * data.joint_vel.torch).abs().sum(dim=-1),
        }
