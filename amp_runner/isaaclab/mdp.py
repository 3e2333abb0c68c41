"""Terms for Isaac Lab's managers: the AMP observation and the reset to reference motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from isaaclab.managers import EventTermCfg, ManagerTermBase, SceneEntityCfg

from amp_runner.env_interface import velocity_command
from amp_runner.errors import ConfigError
from amp_runner.evaluation.gait_metrics import CONTACT_FORCE
from amp_runner.learning.config import parse_motion_entries
from amp_runner.motions.reference_state import ReferenceStates, robot_state
from amp_runner.state import AMPStateSpec, Orientation, VelocityFrame, amp_state

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv


def amp_state_term(
    env: ManagerBasedEnv,
    asset_cfg: SceneEntityCfg,
    orientation: Orientation = "gravity",
    velocity_frame: VelocityFrame = "heading",
    ground_sensor: str | None = None,
    layout: Sequence[str] | None = None,
    key_bodies: SceneEntityCfg | None = None,
    feet: SceneEntityCfg | None = None,
) -> torch.Tensor:
    """Observation term: the AMP state of :func:`amp_runner.amp_state`, shape (N, D).

    Positions and velocities are those of the root link's frame, so that the height's derivative is the vertical velocity.

    Args:
        env: the environment.
        asset_cfg: the robot, with ``joint_names`` in the order of the clips and ``preserve_order=True``.
        orientation: ``gravity``, ``quaternion`` or ``tangent_normal``; unused with ``layout``.
        velocity_frame: ``heading``, ``world`` or ``body``.
        ground_sensor: downward ray caster, the mean hit of which is the ground; None: the ground is at the height of the
            environment's origin.
        layout: features, in order, as in :class:`amp_runner.AMPStateSpec`; None: the default list.
        key_bodies: the robot with ``body_names`` of ``key_body_pos`` and ``key_body_vel``, and ``preserve_order=True``.
        feet: the contact sensor with ``body_names`` of ``foot_contact``, and ``preserve_order=True``.
    """
    robot: Articulation = env.scene[asset_cfg.name]
    data = robot.data
    optional = {}
    if key_bodies is not None:
        optional["key_body_pos"] = data.body_link_pos_w.torch[:, key_bodies.body_ids] - data.root_link_pos_w.torch[:, None]
        velocity = data.body_link_lin_vel_w.torch[:, key_bodies.body_ids]
        optional["key_body_vel"] = velocity - data.root_link_lin_vel_w.torch[:, None]
    if feet is not None:
        force = env.scene.sensors[feet.name].data.net_normal_forces_w.torch[:, feet.body_ids]
        optional["foot_contact"] = force.norm(dim=-1) > CONTACT_FORCE
    return amp_state(
        data.root_link_pos_w.torch[:, 2] - ground_height(env, ground_sensor),
        data.root_link_quat_w.torch,
        data.joint_pos.torch[:, asset_cfg.joint_ids],
        data.root_link_lin_vel_w.torch,
        data.root_link_ang_vel_w.torch,
        data.joint_vel.torch[:, asset_cfg.joint_ids],
        orientation,
        velocity_frame,
        layout=layout,
        **optional,
    )


def ground_height(env: ManagerBasedEnv, sensor: str | None) -> torch.Tensor:
    """Return the height of the ground in the world, (N,) [m]: the mean of a ray caster's hits, else of the origin."""
    origin = env.scene.env_origins[:, 2]
    if sensor is None:
        return origin
    hits = env.scene.sensors[sensor].data.ray_hits_w.torch[..., 2]
    # Rays that miss are infinite, and before its first update a sensor knows nothing.
    mean = torch.where(torch.isfinite(hits), hits, torch.nan).nanmean(dim=1)
    return torch.where(torch.isnan(mean), origin, mean)


class reset_to_reference(ManagerTermBase):  # noqa: N801  (event terms are named like functions)
    """Reset event: with a given probability an episode starts in a state drawn from the reference motions.

    Reference-state initialisation (Peng et al. 2018, "DeepMimic"). Root height, tilt, velocities and joints are the clip's,
    and so is the velocity command where ``command_name`` is given; the horizontal position stays, the yaw is free. Put it
    after the other reset events. ``amp-train`` fills in the run's motions where ``motions`` is None; without motions the
    term does nothing.
    """

    def __init__(self, cfg: EventTermCfg, env: ManagerBasedEnv) -> None:
        """Load the motions that the term's parameters name."""
        super().__init__(cfg, env)
        motions, spec = cfg.params.get("motions"), AMPStateSpec.from_env_cfg(env.cfg)
        self._command_name: Any = cfg.params.get("command_name")
        self._states: ReferenceStates | None = None
        if motions is None:
            return
        if spec is None:
            raise ConfigError("reset_to_reference needs the environment's 'amp' group declared with AMPObsGroupCfg")
        entries, with_commands = parse_motion_entries(motions), self._command_name is not None
        self._states = ReferenceStates(entries, spec, env.step_dt, with_commands, env.device)

    def __call__(
        self,
        env: ManagerBasedEnv,
        env_ids: torch.Tensor | slice,
        motions: Any,
        probability: float,
        asset_cfg: SceneEntityCfg,
        command_name: str | None = None,
        clearance: float = 0.0,
    ) -> None:
        """Write the states of the chosen environments.

        Args:
            env: the environment.
            env_ids: environments that are being reset, (M,).
            motions: as in :attr:`amp_runner.AMPCfg.motions`.
            probability: probability with which an episode starts in a reference state.
            asset_cfg: the robot with its joints in the order of the clips.
            command_name: velocity command that is set to the clip's, within its ranges; None leaves it as drawn.
            clearance: height added to the root, for clips whose feet are below the ground [m].
        """
        if self._states is None:
            return
        if isinstance(env_ids, slice):  # Isaac Lab passes a slice for all environments
            env_ids = torch.arange(env.num_envs, device=env.device)[env_ids]
        ids, states = self._states.draw(env_ids, probability)
        if len(ids):
            write_amp_states(env, ids, states, self._states.spec, asset_cfg, clearance)

    def reset(self, env_ids: torch.Tensor | slice | None = None) -> None:
        """Set the commands; Isaac Lab draws new ones between its reset events and this call."""
        if self._states is not None and self._command_name is not None:
            self._states.set_commands(velocity_command(self._env, self._command_name))


def write_amp_states(
    env: ManagerBasedEnv,
    env_ids: torch.Tensor,
    states: torch.Tensor,
    spec: AMPStateSpec,
    asset_cfg: SceneEntityCfg,
    clearance: float = 0.0,
) -> None:
    """Put robots into AMP states, at their positions, with a random yaw.

    Args:
        env: the environment.
        env_ids: environments, (M,).
        states: AMP states, (M, D) or longer.
        spec: their layout.
        asset_cfg: the robot with its joints in the order of the states.
        clearance: height added to the root [m].
    """
    target = robot_state(states, spec)
    robot: Articulation = env.scene[asset_cfg.name]
    position = robot.data.root_link_pos_w.torch[env_ids].clone()
    if target.height is not None:
        position[:, 2] = target.height + clearance + env.scene.env_origins[env_ids, 2]
    velocity = torch.cat([target.lin_vel, target.ang_vel], dim=-1)
    robot.write_root_link_pose_to_sim_index(root_pose=torch.cat([position, target.quat], dim=-1), env_ids=env_ids)
    robot.write_root_link_velocity_to_sim_index(root_velocity=velocity, env_ids=env_ids)
    if target.joint_pos is None or target.joint_vel is None:
        return
    joints = {"joint_ids": asset_cfg.joint_ids, "env_ids": env_ids}
    robot.write_joint_position_to_sim_index(position=target.joint_pos.contiguous(), **joints)
    robot.write_joint_velocity_to_sim_index(velocity=target.joint_vel.contiguous(), **joints)
