"""Why a discriminator wins: clip columns that the policy never reaches, and features that carry the discrimination."""

from __future__ import annotations

import torch

from amp_runner.learning.discriminator import Discriminator
from amp_runner.state import AMPStateSpec

_STATES = ("root_height", "projected_gravity", "root_quat_xyzw", "root_tangent_normal", "joint_pos", "key_body_pos")
"""Features whose ranges a policy shows from the first rollout on; velocities it reaches only when it walks."""
_LEAST_SHARE = 0.02
"""Smallest share of the clips' frames within the policy's range that is no finding."""
_MARGIN = 0.1
"""The policy's range is widened by this fraction, and by :data:`_TOLERANCE`."""
_TOLERANCE = 0.02
_DEGREES = (40.0, 80.0)
"""Ratios of the two magnitudes that suggest degrees: 57 in each of them is one radian."""
_SHOWN = 8


def unreached_columns(expert: torch.Tensor, policy: torch.Tensor, spec: AMPStateSpec) -> list[str]:
    """Describe columns in which the clips stay outside everything that the policy reached.

    Args:
        expert: frames of the clips, (F, D) or longer.
        policy: frames of a rollout, (M, D) or longer.
        spec: layout of the frames.

    Returns:
        A line for each such column, with both ranges.
    """
    lines = []
    for feature, columns in spec.features.items():
        if feature not in _STATES:
            continue
        for column in range(columns.start, columns.stop):
            clip, own = expert[:, column], policy[:, column]
            low, high = own.min(), own.max()
            margin = _MARGIN * (high - low) + _TOLERANCE
            share = ((clip > low - margin) & (clip < high + margin)).float().mean()
            if share < _LEAST_SHARE:
                lines.append(
                    f"{spec.columns[column]}: the clips have {clip.min():.2f} to {clip.max():.2f}, the policy {low:.2f} to "
                    f"{high:.2f}{_remark(feature, clip, own)}"
                )
    return lines


def _remark(feature: str, clip: torch.Tensor, own: torch.Tensor) -> str:
    ratio = float(clip.abs().max() / own.abs().max().clamp(min=1e-3))
    if feature != "joint_pos":
        return ""
    if _DEGREES[0] < ratio < _DEGREES[1] or _DEGREES[0] < 1 / max(ratio, 1e-3) < _DEGREES[1]:
        return " (degrees in one of them?)"
    if float((clip.max() - clip.min()) / (own.max() - own.min()).clamp(min=1e-3)) < 3.0:
        return f" (an offset of {float(clip.mean() - own.mean()):.2f}: relative to a default pose in one of them?)"
    return ""


def describe_unreached(lines: list[str]) -> str:
    """Return the warning about unreached columns, with what to check, in order."""
    shown = "\n  ".join(lines[:_SHOWN]) + (f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else "")
    return (
        "in the first rollout no state of the policy came near the clips in these columns, so the discriminator separates "
        f"them by these alone:\n  {shown}\nCheck, in this order: joint positions relative to the default pose in one of "
        "them; degrees; the order of the joints; the height of the root (amp-motion convert --ground); the velocity frame. "
        "If the robot only has yet to get there, start episodes in the clips (reset_to_reference)"
    )


def feature_shares(
    discriminator: Discriminator, expert: torch.Tensor, policy: torch.Tensor, spec: AMPStateSpec
) -> dict[str, float]:
    """Compute how much of the discrimination each feature carries: an ablation on one batch.

    A feature's share is the fraction of the gap between the mean logits of expert and policy windows that closes when the
    policy windows are given the feature's columns of expert windows. Shares of features that depend on each other need not
    sum to 1.

    Args:
        discriminator: the discriminator.
        expert: expert windows, (B, K, D).
        policy: policy windows, (B, K, D).
        spec: layout of the frames.

    Returns:
        The share of each feature, the largest first.
    """
    count = min(len(expert), len(policy))
    expert, policy = expert[:count], policy[:count]
    with torch.no_grad():
        low, high = discriminator(policy).mean(), discriminator(expert).mean()
        gap = (high - low).clamp(min=1e-6)
        shares = {}
        for feature, columns in spec.features.items():
            mixed = policy.clone()
            mixed[..., columns] = expert[..., columns]
            shares[feature] = float((discriminator(mixed).mean() - low) / gap)
    return dict(sorted(shares.items(), key=lambda item: -item[1]))
