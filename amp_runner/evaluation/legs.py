"""The legs of a robot, found by the names of its joints."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIDE = re.compile(
    r"(?<![a-z])((?:front|rear|hind|back|middle)_?(?:left|right)|(?:left|right)_?(?:front|rear|hind|back|middle)"
    r"|left|right|[fhrm][lr]|[lr][fhm]|[lr])(?![a-z])",
    re.IGNORECASE,
)
_HIP = ("upper_leg", "hip_pitch", "hip_fe", "hfe", "hip_y", "_hy", "thigh", "hip")
"""Parts of the names of joints that swing a leg, the surest first."""
_KNEE = ("knee", "lower_leg", "calf", "shank", "kfe", "_kn")


@dataclass(frozen=True)
class Leg:
    """One leg."""

    name: str
    """Its side as the joints' names spell it, in lower case: ``left``, ``fl``."""
    hip: int
    """Index of the joint that swings the leg."""
    knee: int | None
    """Index of the next joint below it; None if the leg has none."""


def find_legs(joint_names: tuple[str, ...]) -> list[Leg]:
    """Find the legs of a robot, in the order of their hips.

    Joints belong to one leg if their names hold the same side: ``left`` and ``right``, ``FL`` and ``RR``, ``LF``, ``L_`` and
    ``r_``, ``front_left``. A side without a hip is no leg.
    """
    sides: dict[str, list[int]] = {}
    for index, name in enumerate(joint_names):
        if side := _SIDE.search(name):
            sides.setdefault(side[1].lower(), []).append(index)
    legs = []
    for side, joints in sides.items():
        hip = _first(joint_names, joints, _HIP)
        if hip is not None:
            below = [joint for joint in joints if joint > hip]
            knee = _first(joint_names, joints, _KNEE)
            legs.append(Leg(side, hip, knee if knee is not None else next(iter(below), None)))
    return sorted(legs, key=lambda leg: leg.hip)


def hip_joint(joint_names: tuple[str, ...]) -> int:
    """Return the index of the joint that swings the first leg; of the first such joint if no name holds a side, else 0."""
    legs = find_legs(joint_names)
    hip = _first(joint_names, list(range(len(joint_names))), _HIP)
    return legs[0].hip if legs else hip or 0


def _first(joint_names: tuple[str, ...], joints: list[int], parts: tuple[str, ...]) -> int | None:
    """Index of the first of the joints whose name holds the surest part."""
    return next((joint for part in parts for joint in joints if part in joint_names[joint].lower()), None)
