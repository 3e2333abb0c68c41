"""Terms for mjlab's managers: the AMP observation, the terminal state, and the reset to reference motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mjlab.managers import ManagerTermBase, RecorderTerm, SceneEntityCfg

from amp_runner.env_interface import velocity_command
from amp_runner.errors import ConfigError
from amp_runner.learning.config import parse_motion_entries
from amp_runner.motions.reference_state import ReferenceStates, robot_state
from amp_runner.state import AMP_GROUP, AMPStateSpec, Orientation, VelocityFrame, amp_state
from amp_runner.state.rotations import rotate, yaw_quat

if TYPE_CHECKING:
    from mjlab.entity import Entity
    from mjlab.envs import ManagerBasedRlEnv
    from mjlab.managers import EventTermCfg


def amp_state_term(
    env: ManagerBasedRlEnv,
    asset_cfg: SceneEntityCfg,
    orientation: Orientation = "gravity",
    velocity_frame: VelocityFrame = "heading",
    layout: Sequence[str] | None = None,
    key_bodies: SceneEntityCfg | None = None,
    feet: str | None = None,
    foot_names: Sequence[str] = (),
    ground_sensor: str | None = None,
) -> torch.Tensor:
    """Observation term: the AMP state of :func:`amp_runner.amp_state`, shape (N, D).

    Root and joints come from the generalised coordinates, which are up to date at any time.

    Args:
        env: the environment.
        asset_cfg: the robot, with ``joint_names`` in the order of the clips and ``preserve_order=True``.
        orientation: ``gravity``, ``quaternion`` or ``tangent_normal``; unused with ``layout``.
        velocity_frame: ``heading``, ``world`` or ``body``.
        layout: features, in order, as in :class:`amp_runner.AMPStateSpec`; None: the default list.
        key_bodies: the robot with ``body_names`` of ``key_body_pos`` and ``key_body_vel``, and ``preserve_order=True``.
        feet: the contact sensor of ``foot_contact``, with one primary for each foot.
        foot_names: names of the feet, in the sensor's order.
        ground_sensor: downward ray caster, the mean hit of which is the ground; None: the ground is at the height of the
            environment's origin.
    """
    robot: Entity = env.scene[asset_cfg.name]
    position, quat, linear, angular = root_state(robot)
    optional = {}
    if key_bodies is not None:
        pose, velocity = (
            robot.data.body_link_pose_w[:, key_bodies.body_ids],
            robot.data.body_link_vel_w[:, key_bodies.body_ids],
        )
        optional["key_body_pos"] = pose[..., :3] - position[:, None]
        optional["key_body_vel"] = velocity[..., :3] - linear[:, None]
    if feet is not None:
        optional["foot_contact"] = env.scene[feet].data.found.view(env.num_envs, len(foot_names), -1).amax(dim=-1) > 0
    return amp_state(
        position[:, 2] - ground_height(env, ground_sensor),
        quat,
        robot.data.joint_pos[:, asset_cfg.joint_ids],
        linear,
        angular,
        robot.data.joint_vel[:, asset_cfg.joint_ids],
        orientation,
        velocity_frame,
        layout=layout,
        **optional,
    )


def ground_height(env: ManagerBasedRlEnv, sensor: str | None) -> torch.Tensor:
    """Return the height of the ground in the world, (N,) [m]: the mean of a ray caster's hits, else of the origin."""
    origin = env.scene.env_origins[:, 2]
    if sensor is None:
        return origin
    rays = env.scene[sensor].data
    mean = torch.where(rays.distances >= 0, rays.hit_pos_w[..., 2], torch.nan).nanmean(dim=1)
    return torch.where(torch.isnan(mean), origin, mean)


def root_state(robot: Entity) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Position (N, 3) [m], orientation xyzw (N, 4), linear (N, 3) [m/s] and angular velocity (N, 3) [rad/s] in the world."""
    data, index = robot.data.data, robot.data.indexing
    qpos, qvel = data.qpos[:, index.free_joint_q_adr], data.qvel[:, index.free_joint_v_adr]
    quat = torch.cat([qpos[:, 4:7], qpos[:, 3:4]], dim=-1)  # MuJoCo's order is wxyz
    return qpos[:, :3], quat, qvel[:, :3], rotate(quat, qvel[:, 3:])  # MuJoCo gives angular velocity in the body's frame


def push_robots(robot: Entity, change: np.ndarray) -> None:
    """Change the robots' planar velocity, (N, 2), heading frame [m/s]; robots with a change of 0 are left alone."""
    _, quat, linear, angular = root_state(robot)
    planar = torch.tensor(change, dtype=linear.dtype, device=linear.device)
    linear = linear + rotate(yaw_quat(quat), torch.nn.functional.pad(planar, (0, 1)))
    robots = planar.any(dim=-1).nonzero().squeeze(-1)
    if len(robots):
        robot.write_root_link_velocity_to_sim(torch.cat([linear, angular], dim=-1)[robots], env_ids=robots)


class FinalAMPState(RecorderTerm):
    """Recorder term: the AMP states that ended episodes reached, as ``extras["final_obs"]["amp"]``."""

    def record_pre_reset(self, env_ids: torch.Tensor) -> None:
        """Compute the AMP states before environments are reset."""
        states: Any = self._env.observation_manager.compute_group(AMP_GROUP)
        self._env.extras["final_obs"] = {AMP_GROUP: states}


class reset_to_reference(ManagerTermBase):  # noqa: N801  (event terms are named like functions)
    """Reset event: with a given probability an episode starts in a state drawn from the reference motions.

    Root height, tilt, velocities and joints are the clip's, and so is the velocity command if ``with_command``; the
    horizontal position stays, the yaw is free. Put it after the other reset events.
    """

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedRlEnv) -> None:
        """Load the motions that the term's parameters name."""
        super().__init__(env)
        spec = AMPStateSpec.from_env_cfg(env.cfg)
        if spec is None:
            raise ConfigError("reset_to_reference needs the environment's 'amp' group declared with amp_obs_group")
        self._with_command: bool = cfg.params.get("with_command", False)
        entries = parse_motion_entries(cfg.params["motions"])
        self._states = ReferenceStates(entries, spec, env.step_dt, self._with_command, env.device)

    def __call__(
        self,
        env: ManagerBasedRlEnv,
        env_ids: torch.Tensor,
        motions: Any,
        probability: float,
        asset_cfg: SceneEntityCfg,
        with_command: bool = False,
        clearance: float = 0.0,
    ) -> None:
        """Write the states of the chosen environments.

        Args:
            env: the environment.
            env_ids: environments that are being reset, (M,).
            motions: as in :attr:`amp_runner.AMPCfg.motions`.
            probability: probability with which an episode starts in a reference state.
            asset_cfg: the robot with its joints in the order of the clips.
            with_command: set the velocity command to the clip's, within its ranges.
            clearance: height added to the root, for clips whose feet are below the ground [m].
        """
        ids, states = self._states.draw(env_ids, probability)
        if not len(ids):
            return
        target = robot_state(states, self._states.spec)
        robot: Entity = env.scene[asset_cfg.name]
        position = root_state(robot)[0][ids].clone()
        if target.height is not None:
            position[:, 2] = target.height + clearance + env.scene.env_origins[ids, 2]
        pose = torch.cat([position, target.quat[:, 3:], target.quat[:, :3]], dim=-1)
        robot.write_root_link_pose_to_sim(pose, env_ids=ids)
        robot.write_root_link_velocity_to_sim(torch.cat([target.lin_vel, target.ang_vel], dim=-1), env_ids=ids)
        if target.joint_pos is not None and target.joint_vel is not None:
            joints = torch.arange(robot.num_joints, device=env.device)[asset_cfg.joint_ids]
            robot.write_joint_state_to_sim(target.joint_pos, target.joint_vel, joint_ids=joints, env_ids=ids)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Set the commands; mjlab draws new ones between its reset events and this call."""
        if self._with_command:
            self._states.set_commands(velocity_command(self._env))
