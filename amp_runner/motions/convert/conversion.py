"""Converting motion files: one, or many in parallel."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import AMPError, MotionError
from amp_runner.motions.clip import save_motion
from amp_runner.motions.convert.joint_map import map_joints
from amp_runner.motions.convert.loop import looped
from amp_runner.motions.convert.options import ReadOptions
from amp_runner.motions.convert.proof import ground_offset, resolve_joints
from amp_runner.motions.convert.readers import SUFFIXES, read_trajectory
from amp_runner.motions.convert.states import SMOOTHING_TIME, to_motion
from amp_runner.motions.convert.trajectory import Trajectory
from amp_runner.motions.edit import cut_motion
from amp_runner.motions.robot_file import joints_of
from amp_runner.motions.robot_model import RobotModel
from amp_runner.state import AMPStateSpec

_FLOATING = 0.01  # [m]
_NAMED = 6
"""Joints that a message names one by one."""


@dataclass(frozen=True)
class Conversion:
    """Settings of a conversion."""

    kind: str | None = None
    """One of :data:`~amp_runner.motions.convert.READERS`; None: detected."""
    read: ReadOptions = field(default_factory=ReadOptions)
    """What the file does not store."""
    robot: str | None = None
    """MJCF or URDF file of the robot: proves the order of joints, grounds the feet, computes key bodies."""
    joints: tuple[str, ...] | None = None
    """Joints of the clip, in the environment's order; None: the file's."""
    joint_map: dict[str, Any] | None = None
    """See :func:`~amp_runner.motions.convert.map_joints`."""
    spec: dict[str, Any] = field(default_factory=dict)
    """Fields of :class:`~amp_runner.AMPStateSpec` other than the joints."""
    dt: float | None = None
    """Time step of the clip [s]; None: the file's."""
    smoothing: float = SMOOTHING_TIME
    """Length of the smoothing window [s]."""
    height_offset: float = 0.0
    """Added to the root's height [m]."""
    ground: bool = False
    """Put the feet on the ground; needs the robot."""
    root_rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Fixed rotation of the root's frame: intrinsic Euler angles x, y, z [degrees]."""
    loop: int = 0
    """Repeat the cycle this many times; 0: do not."""
    licence: str = ""


def convert_file(path: str, out: str, conversion: Conversion) -> str:
    """Convert a motion file to a clip.

    Args:
        path: the file.
        out: clip file to write.
        conversion: how.

    Returns:
        What was detected, assumed or changed, for the user.

    Raises:
        MotionError: the file cannot be read or does not fit.
        ConfigError: the AMP state's layout is wrong.
    """
    trajectory = _read(path, conversion)
    names = conversion.joints or _joints_of_robot(trajectory, conversion)
    if names is None:
        raise MotionError(
            f"{path}: has {trajectory.joint_pos.shape[1]} joint columns without names; pass the names, in order, with "
            "--joint_names, or the robot with --robot"
        )
    dropped = [name for name in trajectory.joint_names or () if name not in names]
    if dropped and conversion.joint_map is None:
        few = dropped if len(dropped) <= _NAMED else [*dropped[: _NAMED - 1], f"... {dropped[-1]} ({len(dropped)} joints)"]
        trajectory = trajectory.with_note(f"dropped {', '.join(few)}")
    trajectory = map_joints(trajectory, names, conversion.joint_map)
    spec = AMPStateSpec(names, **conversion.spec)
    robot = None if conversion.robot is None else RobotModel(conversion.robot, names)
    trajectory, offset = _on_ground(trajectory, robot, conversion)
    cycle = len(trajectory.root_pos) - 1
    if conversion.loop:
        trajectory = looped(trajectory, conversion.loop + 2)
    motion = to_motion(
        trajectory,
        spec,
        out,
        dt=conversion.dt,
        smoothing=conversion.smoothing,
        height_offset=offset,
        licence=conversion.licence,
        robot=robot,
    )
    if conversion.loop:  # the first and last cycle are there for the derivatives at the seams
        seconds = cycle * trajectory.dt
        motion = cut_motion(motion, seconds, seconds * (conversion.loop + 1) + 0.5 * motion.known_dt)
    elif trajectory.is_loop:
        trajectory = trajectory.with_note("the file says that the motion is a cycle: --loop N repeats it")
    save_motion(motion)
    return trajectory.note


def _joints_of_robot(trajectory: Trajectory, conversion: Conversion) -> tuple[str, ...] | None:
    """The file's joints, without those that the robot lacks if it has all its own."""
    names = trajectory.joint_names
    if names is None or conversion.robot is None or conversion.joint_map is not None:
        return names
    of_robot = set(joints_of(conversion.robot))
    return tuple(name for name in names if name in of_robot) if of_robot < set(names) else names


def _read(path: str, conversion: Conversion) -> Trajectory:
    options = conversion.read
    try:
        trajectory, quat_is_known = read_trajectory(path, conversion.kind, options), options.quat != "auto"
    except MotionError as error:
        if conversion.robot is None or "choose one with --quat" not in str(error):
            raise
        trajectory, quat_is_known = read_trajectory(path, conversion.kind, replace(options, quat="xyzw")), False
    if conversion.robot is not None and options.joint_names is None:
        trajectory = resolve_joints(trajectory, conversion.robot, quat_is_known)
    if any(conversion.root_rotation):
        fixed = Rotation.from_euler("XYZ", conversion.root_rotation, degrees=True)
        trajectory = replace(trajectory, root_quat=(Rotation.from_quat(trajectory.root_quat) * fixed).as_quat())
    return trajectory


def _on_ground(trajectory: Trajectory, robot: RobotModel | None, conversion: Conversion) -> tuple[Trajectory, float]:
    """Return the trajectory with a note, and the height to add to its root [m]."""
    if robot is None:
        if conversion.ground:
            raise MotionError(f"{trajectory.path}: --ground needs the robot's model: pass --robot FILE")
        return trajectory, conversion.height_offset
    offset = ground_offset(trajectory, robot)
    if conversion.ground:
        moved = "raised" if offset >= 0 else "lowered"
        return trajectory.with_note(f"{moved} by {abs(offset) * 1000:.0f} mm to stand on the ground"), offset
    if abs(offset - conversion.height_offset) > _FLOATING:
        where = "above" if offset < 0 else "below"
        trajectory = trajectory.with_note(
            f"the feet are {abs(offset) * 1000:.0f} mm {where} the ground: --ground corrects it"
        )
    return trajectory, conversion.height_offset


@dataclass(frozen=True)
class ConvertedFile:
    """The result of one file of many."""

    path: str
    out: str
    note: str
    """What was detected or changed."""
    error: str = ""
    """Why it was left out; empty: it was converted."""


def motion_files(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Find motion files in files and folders, with sub-folders.

    Returns:
        Pairs of a path and the name of its clip relative to the output folder.

    Raises:
        MotionError: a folder holds none, or two files have the same clip.
    """
    found = []
    for path in paths:
        if not Path(path).is_dir():
            found.append((path, f"{Path(path).stem}.npz"))
            continue
        inside = sorted(p for p in Path(path).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not inside:
            raise MotionError(f"{path}: the folder holds no motion file ({', '.join(SUFFIXES)})")
        found += [(str(file), str(file.relative_to(path).with_suffix(".npz"))) for file in inside]
    outs = [out for _, out in found]
    for path, out in found:
        if outs.count(out) > 1:
            raise MotionError(f"{path}: another file would be converted to {out}, too; convert them into different folders")
    return found


def convert_files(files: Sequence[tuple[str, str]], folder: str, conversion: Conversion) -> Iterator[ConvertedFile]:
    """Convert many files in parallel, and yield each result when it is there.

    Args:
        files: as :func:`motion_files` returns them.
        folder: folder to write to; sub-folders are created.
        conversion: how.
    """
    for _, out in files:
        (Path(folder) / out).parent.mkdir(parents=True, exist_ok=True)
    jobs = [(path, str(Path(folder) / out), conversion) for path, out in files]
    workers = min(len(jobs), os.cpu_count() or 1)
    if workers < 2:
        yield from map(_convert_job, jobs)
        return
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn")
    ) as pool:  # PyTorch's threads do not survive a fork
        yield from pool.map(_convert_job, jobs)


def _convert_job(job: tuple[str, str, Conversion]) -> ConvertedFile:
    path, out, conversion = job
    try:
        return ConvertedFile(path, out, convert_file(path, out, conversion))
    except (AMPError, OSError, np.linalg.LinAlgError) as error:
        return ConvertedFile(path, out, "", str(error).removeprefix(f"{path}: "))
