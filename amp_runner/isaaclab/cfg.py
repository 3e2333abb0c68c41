"""Configuration classes for Isaac Lab tasks that are trained with AMP."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from amp_runner.isaaclab.mdp import amp_state_term
from amp_runner.learning.config import AMPCfg, DiscriminatorCfg, MirrorCfg


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

    def __post_init__(self) -> None:
        """Disable noise, and join the terms into one tensor."""
        self.enable_corruption = False
        self.concatenate_terms = True


@configclass
class FeetCfg:
    """The robot's feet; an environment configuration's field ``feet``, read by ``amp-eval``."""

    body_names: list[str] = MISSING  # type: ignore[assignment]
    """Links with the feet, left before right."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Centre of the foot in the link's frame [m]."""
    radius: float = 0.0
    """Radius of the foot around that centre [m]."""
    contact_sensor: str = "contact_forces"
    """Name of the scene's contact sensor."""


@configclass
class RslRlDiscriminatorCfg(DiscriminatorCfg):
    """:class:`amp_runner.DiscriminatorCfg` as a configuration class."""


@configclass
class RslRlMirrorCfg(MirrorCfg):
    """:class:`amp_runner.MirrorCfg` as a configuration class."""


@configclass
class RslRlAmpCfg(AMPCfg):
    """:class:`amp_runner.AMPCfg` as a configuration class."""

    mirror: RslRlMirrorCfg = RslRlMirrorCfg()
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

    keep_checkpoints: int | None = 10
    """Number of checkpoints of a run that ``amp-train`` keeps, the last ones; None keeps all."""

    snapshot_interval: int = 0
    """Iterations between two pictures of the policy in TensorBoard; 0 disables them. Needs ``snapshot_robot``."""
    snapshot_robot: str | None = None
    """MJCF or URDF file of the robot, for the pictures."""
