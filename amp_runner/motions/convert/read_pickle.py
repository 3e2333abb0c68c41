"""Readers of pickled files: amp-rsl-rl, GMR, MimicKit, ProtoMotions, SkeletonMotion, OstrichRL. Nothing is executed."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.convert.options import ReadOptions, assemble, joint_names, numbers, table, texts, time_step
from amp_runner.motions.convert.safe_pickle import load_plain_pickle, load_torch_archive
from amp_runner.motions.convert.trajectory import BodyPositions, Trajectory


def read_amp_rsl_rl(path: str, options: ReadOptions) -> Trajectory:
    """amp-rsl-rl's pickled dictionaries (.npy): ``joints_list``, ``joint_positions``, ``root_position`` and so on."""
    data = load_dictionary(path)
    arrays = {name: table(path, str(name), value) for name, value in data.items()}
    root = numbers(path, arrays, "root_position"), numbers(path, arrays, "root_quaternion")
    return assemble(path, arrays, options, root, ("joint_positions", "joints_list"), "xyzw")


def read_gmr(path: str, options: ReadOptions) -> Trajectory:
    """The pickles of GMR, TWIST and legged_lab: ``fps``, ``root_pos``, ``root_rot`` (xyzw), ``dof_pos``."""
    data = load_dictionary(path)
    arrays = {name: table(path, str(name), value) for name, value in data.items() if value is not None}
    root = numbers(path, arrays, "root_pos"), numbers(path, arrays, "root_rot")
    bodies, frame = arrays.get("body_positions"), "world"
    if bodies is None:
        bodies, frame = arrays.get("local_body_pos"), "root"
    known = arrays.get("body_names", arrays.get("link_body_list"))
    found = None
    if bodies is not None and bodies.ndim == 3 and len(bodies) == len(root[0]):
        names = None if known is None or len(np.atleast_1d(known)) != bodies.shape[1] else texts(known)
        found = BodyPositions(names, bodies.astype(float), frame)  # type: ignore[arg-type]
    return assemble(path, arrays, options, root, ("dof_pos", "dof_names"), "xyzw", bodies=found)


def read_mimickit(path: str, options: ReadOptions) -> Trajectory:
    """MimicKit's pickles: ``fps``, ``loop_mode``, ``frames`` of root position, rotation vector and joint positions."""
    data = load_dictionary(path)
    frames = numbers(path, {"frames": table(path, "frames", data.get("frames", ()))}, "frames")
    if frames.shape[1] < 7:
        raise MotionError(f"{path}: 'frames' has shape {frames.shape}; expected a root pose (6) and joint positions")
    quat = Rotation.from_rotvec(frames[:, 3:6]).as_quat()
    dt, is_loop = time_step(path, data, options), data.get("loop_mode") == 1
    names = joint_names(None, options)
    return Trajectory(path, frames[:, :3], quat, frames[:, 6:], names, dt, "root as rotation vectors", None, is_loop)


def read_protomotions(path: str, options: ReadOptions) -> Trajectory:
    """ProtoMotions' motions (.motion): ``dof_pos``, ``rigid_body_pos`` and ``rigid_body_rot`` (xyzw), ``fps``."""
    data = load_torch_archive(path)
    arrays = {str(name): value for name, value in data.items() if isinstance(value, (np.ndarray, int, float))}
    positions, rotations = (numbers(path, arrays, name, rank=3) for name in ("rigid_body_pos", "rigid_body_rot"))
    root = positions[:, 0], rotations[:, 0]
    bodies = BodyPositions(None, positions)
    return assemble(path, arrays, options, root, ("dof_pos", "dof_names"), "xyzw", "root is body 0", bodies)


def read_ostrichrl(path: str, options: ReadOptions) -> Trajectory:
    """OstrichRL's recordings (``qpos``, .npy): 56 numbers a frame, 40 Hz; see La Barbera et al. 2021."""
    qpos = load_plain_pickle(path)
    if not isinstance(qpos, np.ndarray) or qpos.ndim != 2 or qpos.shape[1] != _OSTRICH_COLUMNS or qpos.dtype.kind != "f":
        raise MotionError(f"{path}: not an OstrichRL recording; expected an array (frames, {_OSTRICH_COLUMNS})")
    dt = time_step(path, {"dt": 0.025}, options)
    legs = [f"{side}_{joint}" for side in ("right", "left") for joint in _OSTRICH_LEG]
    neck = [f"neck_{joint}_{axis}" for joint in range(18) for axis in "yz"]
    return Trajectory(
        path,
        qpos[:, :3] + [0.0, 0.0, _OSTRICH_ROOT_HEIGHT],
        Rotation.from_euler("XYZ", qpos[:, 3:6]).as_quat(),
        qpos[:, 6:].astype(float),
        options.joint_names or tuple(legs + neck),
        dt,
    )


_OSTRICH_COLUMNS = 56
_OSTRICH_ROOT_HEIGHT = 1.05
_OSTRICH_LEG = ("hip_x", "hip_y", "hip_z", "knee_y", "knee_z", "ankle_y", "mtp_y")


def load_dictionary(path: str) -> dict[str, Any]:
    """Load a pickled dictionary; of a dictionary with one dictionary inside, the inner one.

    Raises:
        MotionError: the file holds something else, or several motions.
    """
    data = load_plain_pickle(path)
    if isinstance(data, np.ndarray) and data.shape == ():
        data = data.item()
    if isinstance(data, dict) and data and all(isinstance(value, dict) for value in data.values()):
        if len(data) > 1:
            names = ", ".join(map(str, list(data)[:5]))
            raise MotionError(f"{path}: holds {len(data)} motions ({names}, ...); save each in a file of its own")
        (data,) = data.values()
    if not isinstance(data, dict):
        raise MotionError(f"{path}: holds {type(data).__name__}; expected a dictionary of arrays")
    return data
