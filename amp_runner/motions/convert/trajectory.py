"""A robot's motion as positions over time, as readers return it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from amp_runner.errors import MotionError

_AMBIGUITY = 0.05
_MOST_COPIES = 4
_LARGEST = 1e5  # [m, rad]; no motion has such positions, and splines of larger ones overflow


@dataclass(frozen=True)
class BodyPositions:
    """Positions of bodies, which prove the order of joints and quaternions."""

    names: tuple[str, ...] | None
    """Names of the bodies; None: unknown."""
    positions: np.ndarray
    """(T, B, 3) [m]."""
    frame: Literal["world", "root"] = "world"
    """Frame of the positions."""


@dataclass(frozen=True)
class Trajectory:
    """Root poses and joint positions over time."""

    path: str
    root_pos: np.ndarray
    """Position of the root link in the world, (T, 3) [m]."""
    root_quat: np.ndarray
    """Orientation of the root link in the world, xyzw, (T, 4)."""
    joint_pos: np.ndarray
    """Joint positions, (T, J) [rad]."""
    joint_names: tuple[str, ...] | None
    """Joints, in the order of the columns; None: the file does not say."""
    dt: float
    """Time between two frames [s]."""
    note: str = ""
    """What the reader detected or assumed; shown to the user."""
    bodies: BodyPositions | None = None
    is_loop: bool = False
    """Whether the last frame is followed by the first, as the file says."""

    def __post_init__(self) -> None:
        """Check shapes and values."""
        frames = len(self.root_pos)
        joints = self.joint_pos.shape[1] if self.joint_names is None else len(self.joint_names)
        checks = [
            ("root positions", self.root_pos, (frames, 3)),
            ("root orientations", self.root_quat, (frames, 4)),
            ("joint positions", self.joint_pos, (frames, joints)),
        ]
        if self.bodies is not None:
            checks.append(("body positions", self.bodies.positions, (frames, self.bodies.positions.shape[1], 3)))
        for name, array, shape in checks:
            if array.shape != shape:
                raise MotionError(f"{self.path}: {name} have shape {array.shape}; expected {shape}")
            if not (np.abs(array) <= _LARGEST).all():  # NaN compares False
                raise MotionError(f"{self.path}: {name} hold NaN, infinite values or numbers beyond {_LARGEST:g}")
        if not np.isfinite(self.dt) or self.dt <= 0:
            raise MotionError(f"{self.path}: the time step is {self.dt}; expected a positive number of seconds")
        norms = np.linalg.norm(self.root_quat, axis=1)
        if frames and (np.abs(norms - 1) > 0.05).any():
            raise MotionError(
                f"{self.path}: root orientations have norms from {norms.min():.3f} to {norms.max():.3f}; expected 1"
            )

    def select(self, frames: slice) -> Trajectory:
        """Return some of the frames."""
        bodies = self.bodies and replace(self.bodies, positions=self.bodies.positions[frames])
        return replace(
            self,
            root_pos=self.root_pos[frames],
            root_quat=self.root_quat[frames],
            joint_pos=self.joint_pos[frames],
            bodies=bodies,
        )

    def with_note(self, note: str) -> Trajectory:
        """Add a note."""
        return replace(self, note="; ".join(filter(None, [self.note, note])))


def without_repeats(trajectory: Trajectory) -> Trajectory:
    """Drop repeated frames, as written by an exporter that raised the frame rate by copying.

    Differences of such frames alternate between zero and a multiple of the true velocity.
    """
    table = np.hstack([trajectory.root_pos, trajectory.root_quat, trajectory.joint_pos])
    changes = (table[1:] != table[:-1]).any(axis=1)
    for times in range(_MOST_COPIES, 1, -1):
        # Copies come in groups of this size. A robot at rest never changes, which proves nothing.
        inside = np.arange(1, len(table)) % times != 0
        if changes[~inside].any() and changes[~inside].mean() > 0.5 and not changes[inside].any():
            note = f"every frame is stored {times} times: kept one of each, {1 / (times * trajectory.dt):g} per second"
            once = trajectory.select(slice(None, None, times))
            return replace(once, dt=times * trajectory.dt).with_note(note)
    return trajectory


def to_xyzw(path: str, quat: np.ndarray, order: str) -> tuple[np.ndarray, str]:
    """Convert quaternions (T, 4) to the order xyzw.

    Args:
        path: file, for the error line.
        quat: quaternions of a robot that is upright most of the time.
        order: ``xyzw``, ``wxyz``, or ``auto``: the order in which the robot is more upright.

    Returns:
        The quaternions, and a note on the detected order.

    Raises:
        MotionError: these are no quaternions, or their order is ambiguous.
    """
    if quat.ndim != 2 or quat.shape[1] != 4:
        raise MotionError(f"{path}: root orientations have shape {quat.shape}; expected (frames, 4)")
    wxyz = quat[:, [1, 2, 3, 0]]
    # How far the body's z axis points up: 1 - 2 (x^2 + y^2).
    upright = {name: float((1 - 2 * (q[:, :2] ** 2).sum(axis=1)).mean()) for name, q in (("xyzw", quat), ("wxyz", wxyz))}
    if order == "auto":
        # A robot that looks upright in both orders may lean in one of them: only a clear case is not a question.
        if abs(upright["xyzw"] - upright["wxyz"]) < _AMBIGUITY or min(upright.values()) > 0:
            raise MotionError(
                f"{path}: the quaternions may be xyzw (upright {upright['xyzw']:.2f}) or wxyz "
                f"(upright {upright['wxyz']:.2f}): choose one with --quat, or pass --robot if the file holds body positions"
            )
        order = max(upright, key=lambda name: upright[name])
        note = f"quaternions detected as {order} (upright {upright[order]:.2f})"
    else:
        other = "wxyz" if order == "xyzw" else "xyzw"
        suspicious = upright[order] < 0 < upright[other]
        note = f"quaternions read as {order}" + (f", but as {other} the robot would be upright" if suspicious else "")
    return (quat if order == "xyzw" else wxyz), note
