"""The ostrich in a mirror: RSL-RL's symmetry augmentation (Mittal et al. 2024) for this robot's observations and actions."""

from __future__ import annotations

import functools
from typing import Any

import torch
from tensordict import TensorDict

from amp_runner import AMPStateSpec
from ostrich_env.robot.description import JOINT_NAMES

FLIPPED_JOINTS = ".*_roll_joint"
"""Joints whose angle changes sign in a mirror."""

SPEC = AMPStateSpec(JOINT_NAMES)
AMP_PERMUTATION, AMP_SIGNS = SPEC.mirror(FLIPPED_JOINTS)
"""How an AMP state looks in a mirror."""

_FIRST_JOINT = SPEC.features["joint_pos"].start
_JOINTS = (
    [column - _FIRST_JOINT for column in AMP_PERMUTATION[SPEC.features["joint_pos"]]],
    AMP_SIGNS[SPEC.features["joint_pos"]],
)
_POLAR = ([0, 1, 2], [1.0, -1.0, 1.0])  # velocities, gravity
_AXIAL = ([0, 1, 2], [-1.0, 1.0, -1.0])  # angular velocities
_TERMS = {
    "base_lin_vel": _POLAR,
    "base_ang_vel": _AXIAL,
    "projected_gravity": _POLAR,
    "velocity_commands": ([0, 1, 2], [1.0, -1.0, -1.0]),
    "joint_pos": _JOINTS,
    "joint_vel": _JOINTS,
    "actions": _JOINTS,
    "base_height": ([0], [1.0]),
    "feet_contact": ([1, 0], [1.0, 1.0]),
    "state": (AMP_PERMUTATION, AMP_SIGNS),
}
"""Permutation and signs of every observation term; a history repeats them."""


def with_mirror_images(
    env: Any, obs: TensorDict | None = None, actions: torch.Tensor | None = None
) -> tuple[TensorDict | None, torch.Tensor | None]:
    """The batch followed by its mirror image, as RSL-RL's symmetry extension asks for.

    Args:
        env: the environment in RSL-RL's wrapper.
        obs: observations of B robots, or None.
        actions: actions (B, 6), or None.

    Returns:
        Observations and actions of 2 B robots.
    """
    if actions is not None:
        actions = torch.cat([actions, _mirrored(actions, ("actions",))])
    if obs is not None:
        terms = env.unwrapped.observation_manager.active_terms
        images = {group: _mirrored(values, tuple(terms[group])) for group, values in obs.items()}
        obs = torch.cat([obs, TensorDict(images, batch_size=obs.batch_size)])
    return obs, actions


def _mirrored(values: torch.Tensor, terms: tuple[str, ...]) -> torch.Tensor:
    """The mirror image of concatenated terms, (B, D); all of them have the same history."""
    history = values.shape[-1] // sum(len(_TERMS[name][0]) for name in terms)
    permutation, signs = _columns(terms, history, values.device)
    return values[:, permutation] * signs


@functools.cache
def _columns(terms: tuple[str, ...], history: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Permutation and signs of concatenated terms, each of which repeats its columns for every frame of the history."""
    permutation, signs = [], []
    for name in terms:
        term_permutation, term_signs = _TERMS[name]
        for _ in range(history):
            offset = len(permutation)
            permutation += [offset + column for column in term_permutation]
            signs += term_signs
    return torch.tensor(permutation, device=device), torch.tensor(signs, device=device)
