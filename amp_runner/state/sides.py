"""Left and right: which joint, body or foot is on the other side of the robot, by its name, and mirrored commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

from amp_runner.errors import ConfigError

COMMAND_SIGNS = (1.0, -1.0, -1.0)
"""Signs of a mirrored velocity command: vx, vy, yaw rate."""


def partners_by_name(names: Sequence[str], sides: tuple[str, str] = ("left", "right")) -> list[int]:
    """Return the index of each name's partner on the other side of the robot; its own for a name without a side.

    Raises:
        ConfigError: a name has no partner.
    """
    partners = []
    for name in names:
        partner = opposite_joint(name, names, sides)
        if partner not in names:
            raise ConfigError(f"AMP state: '{name}' has no partner '{partner}' to be mirrored with")
        partners.append(names.index(partner))
    return partners


def opposite_joint(name: str, names: Sequence[str], sides: tuple[str, str] = ("left", "right")) -> str:
    """Find the name of the corresponding joint on the other side of the robot.

    Args:
        name: a joint.
        names: all joints.
        sides: names of left and right in the joints' names.

    Returns:
        The name with one occurrence of a side exchanged, preferably one of ``names``; ``name`` itself for a joint without a
        side.
    """
    candidates = [
        name[: match.start()] + other + name[match.end() :]
        for side, other in (sides, sides[::-1])
        for match in re.finditer(re.escape(side), name)
    ]
    return next((candidate for candidate in candidates if candidate in names), (candidates or [name])[0])
