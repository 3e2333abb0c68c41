"""AMP for Isaac Lab tasks: the observation group and the configuration classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from .config import AMPCfg, DiscriminatorCfg
from .state import Orientation, VelocityFrame, amp_state

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv


def amp_state_term(
    env: ManagerBasedEnv,
    asset_cfg: SceneEntityCfg,
    orientation: Orientation = "gravity",
    velocity_frame: VelocityFrame = "heading",
) -> torch.Tensor:
    """Observation term: the AMP state of :func:`amp_runner.amp_state`, shape (N, D).

    Positions and velocities are those of the root link's frame, so that the height's derivative is the vertical velocity;
    the height is above the environment's origin.

    Args:
        env: the environment.
        asset_cfg: the robot, with ``joint_names`` in the order of the clips and ``preserve_order=True``.
        orientation: ``gravity`` or ``quaternion``.
        velocity_frame: ``heading``, ``world`` or ``body``.
    """
    robot: Articulation = env.scene[asset_cfg.name]
    data = robot.data
    return amp_state(
        data.root_link_pos_w.torch[:, 2] - env.scene.env_origins[:, 2],
        data.root_link_quat_w.torch,
        data.joint_pos.torch[:, asset_cfg.joint_ids],
        data.root_link_lin_vel_w.torch,
        data.root_link_ang_vel_w.torch,
        data.joint_vel.torch[:, asset_cfg.joint_ids],
        orientation,
        velocity_frame,
    )


@configclass
class AMPObsGroupCfg(ObservationGroupCfg):
    """The observation group ``amp``: one frame, no noise, no history. Set ``state.params["asset_cfg"]`` to the robot."""

    state: ObservationTermCfg = ObservationTermCfg(
        func=amp_state_term,
        params={
            "asset_cfg": SceneEntityCfg("robot", joint_names=[".*"], preserve_order=True),
            "orientation": "gravity",
            "velocity_frame": "heading",
        },
    )

    def __post_init__(self):
        self.enable_corruption = False
        self.concatenate_terms = True


@configclass
class RslRlDiscriminatorCfg(DiscriminatorCfg):
    """:class:`amp_runner.DiscriminatorCfg` as a configuration class."""


@configclass
class RslRlAmpCfg(AMPCfg):
    """:class:`amp_runner.AMPCfg` as a configuration class."""

    discriminator: RslRlDiscriminatorCfg = RslRlDiscriminatorCfg()


@configclass
class RslRlAmpPpoAlgorithmCfg(RslRlPpoAlgorithmCfg):
    """PPO with AMP. Works under ``amp-train`` and under stock ``isaaclab train``."""

    class_name: str = "amp_runner:AMPPPO"

    amp_cfg: RslRlAmpCfg = RslRlAmpCfg()
    """Adversarial motion priors."""


@configclass
class RslRlAmpRunnerCfg(RslRlOnPolicyRunnerCfg):
    """Runner configuration for tasks trained with AMP."""

    algorithm: RslRlAmpPpoAlgorithmCfg = RslRlAmpPpoAlgorithmCfg()
