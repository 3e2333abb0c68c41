"""Readers of foreign motion files by kind. None of them executes anything that a file contains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.convert.options import ReadOptions
from amp_runner.motions.convert.read_npz import read_isaaclab, read_poses, read_tracking
from amp_runner.motions.convert.read_pickle import (
    load_dictionary,
    read_amp_rsl_rl,
    read_gmr,
    read_mimickit,
    read_ostrichrl,
    read_protomotions,
)
from amp_runner.motions.convert.read_skeleton import read_skeleton_motion
from amp_runner.motions.convert.read_text import has_quaternions, read_csv, read_legged_gym, read_tienkung
from amp_runner.motions.convert.safe_pickle import load_plain_pickle
from amp_runner.motions.convert.trajectory import Trajectory, without_repeats
from amp_runner.motions.npz import read_npz

READERS: dict[str, Callable[[str, ReadOptions], Trajectory]] = {
    "poses": read_poses,
    "isaaclab": read_isaaclab,
    "tracking": read_tracking,
    "csv": read_csv,
    "amp-rsl-rl": read_amp_rsl_rl,
    "legged-gym": read_legged_gym,
    "tienkung": read_tienkung,
    "gmr": read_gmr,
    "mimickit": read_mimickit,
    "protomotions": read_protomotions,
    "skeleton": read_skeleton_motion,
    "ostrichrl": read_ostrichrl,
}
"""Kinds of motion files and how each is read."""
SUFFIXES = (".npz", ".csv", ".npy", ".txt", ".json", ".pkl", ".motion")
"""Names of motion files."""


def read_trajectory(path: str, kind: str | None = None, options: ReadOptions | None = None) -> Trajectory:
    """Read a motion file.

    Args:
        path: the file.
        kind: one of :data:`READERS`; None: detected from the file's name and contents.
        options: what the file does not store.

    Raises:
        MotionError: the file cannot be read, or not as this kind.
    """
    kind = kind or _kind_of(path)
    return without_repeats(READERS[kind](path, options or ReadOptions()))


def _kind_of(path: str) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise MotionError(f"{path}: unknown kind of file; expected {', '.join(SUFFIXES)}, or choose one with --kind")
    if suffix in (".csv", ".motion"):
        return {".csv": "csv", ".motion": "protomotions"}[suffix]
    if suffix in (".txt", ".json"):
        return "legged-gym" if has_quaternions(path) else "tienkung"
    return _kind_of_npz(path) if suffix == ".npz" else _kind_of_pickle(path)


def _kind_of_npz(path: str) -> str:
    names = set(read_npz(path))
    for kind, needed in (("isaaclab", "body_rotations"), ("tracking", "body_quat_w"), ("poses", "root_quat")):
        if needed in names:
            return kind
    if "amp_states" in names:
        raise MotionError(f"{path}: is a clip already; nothing to convert")
    raise MotionError(
        f"{path}: holds {', '.join(sorted(names))}; expected root_pos, root_quat, joint_pos, joint_names and fps, or the "
        "arrays of Isaac Lab's or BeyondMimic's motions"
    )


def _kind_of_pickle(path: str) -> str:
    if isinstance(found := load_plain_pickle(path), np.ndarray) and found.ndim == 2:
        return "ostrichrl"
    names = set(map(str, load_dictionary(path)))
    for kind, needed in (
        ("amp-rsl-rl", "root_quaternion"),
        ("gmr", "root_rot"),
        ("mimickit", "frames"),
        ("skeleton", "skeleton_tree"),
    ):
        if needed in names:
            return kind
    raise MotionError(
        f"{path}: holds {', '.join(sorted(names)[:20])}, which is none of the known kinds: {', '.join(READERS)}"
    )
