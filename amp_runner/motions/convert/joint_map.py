"""Selecting and renaming the joints of a trajectory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.convert.trajectory import Trajectory
from amp_runner.safe_yaml import read_yaml

_LARGEST_OFFSET = 100.0  # [rad]


def map_joints(trajectory: Trajectory, joint_names: tuple[str, ...], mapping: dict[str, Any] | None = None) -> Trajectory:
    """Reorder joints by name; other joints are dropped.

    Args:
        trajectory: the motion.
        joint_names: target joints, in order.
        mapping: for joints with another name or zero in the file: ``{target: source}`` or
            ``{target: {"from": source, "sign": -1, "offset": 0.1}}`` [rad]; the offset is added last.

    Raises:
        MotionError: a joint is missing, or the mapping is malformed.
    """
    known = trajectory.joint_names
    if known is None:
        raise MotionError(
            f"{trajectory.path}: has {trajectory.joint_pos.shape[1]} joint columns without names; pass the names, in order, "
            "with --joint_names, or the robot with --robot"
        )
    columns = []
    for name in joint_names:
        entry = (mapping or {}).get(name, name)
        entry = {"from": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict) or set(entry) - {"from", "sign", "offset"} or entry.get("sign", 1) not in (1, -1):
            raise MotionError(f"joint map: '{name}' is {entry!r}; expected a name, or from, sign (1 or -1) and offset")
        source, offset = entry.get("from", name), entry.get("offset", 0.0)
        if not isinstance(offset, (int, float)) or not abs(offset) <= _LARGEST_OFFSET:
            raise MotionError(f"joint map: the offset of '{name}' is {offset!r}; expected a number of radians")
        if source not in known:
            raise MotionError(
                f"{trajectory.path}: no joint '{source}' for '{name}'; it has {', '.join(known)}: name the "
                "right one in a joint map (--joint_map FILE.yaml)"
            )
        column = trajectory.joint_pos[:, known.index(source)]
        columns.append(float(entry.get("sign", 1)) * column + float(offset))
    return replace(trajectory, joint_pos=np.stack(columns, axis=1), joint_names=joint_names)


def read_joint_map(path: str | Path) -> dict[str, Any]:
    """Read a joint map (.yaml), see :func:`map_joints`.

    Raises:
        MotionError: it cannot be read.
    """
    try:
        mapping = read_yaml(path)
    except (OSError, ValueError) as error:
        raise MotionError(f"{path}: cannot be read as a joint map: {error}") from None
    if not isinstance(mapping, dict):
        raise MotionError(f"{path}: holds {type(mapping).__name__}; expected lines such as 'left_knee_joint: L_KNEE'")
    return mapping
