"""Configurations for mjlab tasks that are trained with AMP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mjlab.managers import (
    EventTermCfg,
    ObservationGroupCfg,
    ObservationTermCfg,
    RecorderTermCfg,
    SceneEntityCfg,
)
from mjlab.rl import RslRlPpoAlgorithmCfg

from amp_runner.learning.config import AMPCfg
from amp_runner.mjlab.mdp import FinalAMPState, amp_state_term, reset_to_reference
from amp_runner.state import AMPStateSpec


@dataclass
class RslRlAmpPpoAlgorithmCfg(RslRlPpoAlgorithmCfg):
    """PPO with AMP."""

    class_name: str = "amp_runner:AMPPPO"
    amp_cfg: AMPCfg = field(default_factory=AMPCfg)
    """Adversarial motion priors."""


def amp_obs_group(
    spec: AMPStateSpec, entity: str = "robot", contact_sensor: str | None = None, ground_sensor: str | None = None
) -> ObservationGroupCfg:
    """Return the observation group ``amp``: one frame, no noise, no history.

    Args:
        spec: layout of the AMP state.
        entity: the robot's name in the scene.
        contact_sensor: sensor of the contact of ``spec.feet``, in that order.
        ground_sensor: downward ray caster on the robot, for uneven ground.
    """
    params: dict[str, Any] = {
        "asset_cfg": SceneEntityCfg(entity, joint_names=spec.joint_names, preserve_order=True),
        "velocity_frame": spec.velocity_frame,
        "layout": spec.layout,
    }
    if spec.key_bodies:
        params["key_bodies"] = SceneEntityCfg(entity, body_names=spec.key_bodies, preserve_order=True)
    if ground_sensor is not None:
        params["ground_sensor"] = ground_sensor
    if spec.feet:
        params |= {"feet": contact_sensor, "foot_names": spec.feet}
    return ObservationGroupCfg(terms={"state": ObservationTermCfg(func=amp_state_term, params=params)})


def final_state_recorder() -> RecorderTermCfg:
    """Return the recorder term that keeps the AMP state in which an episode ended."""
    return RecorderTermCfg(func=FinalAMPState)


def reference_reset(
    spec: AMPStateSpec, motions: Any, probability: float = 0.5, with_command: bool = True, entity: str = "robot"
) -> EventTermCfg:
    """Return the event that starts episodes in states of the reference motions.

    Args:
        spec: layout of the AMP state.
        motions: as in :attr:`amp_runner.AMPCfg.motions`.
        probability: probability with which an episode starts in a reference state.
        with_command: set the velocity command to the clip's.
        entity: the robot's name in the scene.
    """
    asset_cfg = SceneEntityCfg(entity, joint_names=spec.joint_names, preserve_order=True)
    params = {"motions": motions, "probability": probability, "asset_cfg": asset_cfg, "with_command": with_command}
    return EventTermCfg(func=reset_to_reference, mode="reset", params=params)
