"""Retargeting between robots of similar shape, by inverse kinematics (mink)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mink
import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.clip import Motion
from amp_runner.motions.convert.proof import ground_offset
from amp_runner.motions.convert.trajectory import Trajectory
from amp_runner.motions.robot_model import RobotModel
from amp_runner.motions.root_path import root_path
from amp_runner.safe_yaml import read_yaml

logger = logging.getLogger(__name__)

_ROOT_COST, _FRAME_COST, _POSTURE_COST = 10.0, 10.0, 0.05
_DAMPING = 1e-4
_STEPS, _FIRST_STEPS = 8, 200
"""Iterations of inverse kinematics for a frame, and for the first one."""
_STEP_TIME = 1.0
_FAR = 0.03
"""A mean distance from the targets above this is reported [m]."""


@dataclass(frozen=True)
class RetargetMap:
    """How two robots correspond."""

    frames: dict[str, str]
    """Bodies, sites or shapes of the source whose positions are followed, and those of the target: the feet, at least."""
    joints: dict[str, str]
    """Joints of the target and those of the source whose angles it prefers; empty: those of the same name."""
    root: str | None = None
    """Body, site or shape of the source whose pose the target's root takes; None: the source's root."""
    scale: float | None = None
    """Size of the target relative to the source; None: by the frames' distances from the root in the zero pose."""
    time_scale: float | None = None
    """Duration relative to the source; None: the square root of the scale, at which the Froude number stays the same."""

    @classmethod
    def load(cls, path: str | Path) -> RetargetMap:
        """Read a map (.yaml): ``frames``, and optionally ``joints``, ``root``, ``scale`` and ``time_scale``.

        Raises:
            MotionError: it cannot be read or has another content.
        """
        try:
            values: Any = read_yaml(path)
        except (OSError, ValueError) as error:
            raise MotionError(f"{path}: cannot be read as a map: {error}") from None
        known = {"frames", "joints", "root", "scale", "time_scale"}
        if not isinstance(values, dict) or set(values) - known or not isinstance(values.get("frames"), dict):
            raise MotionError(
                f"{path}: expected 'frames' (source: target) and optionally joints, root, scale and time_scale"
            )
        root = values.get("root")
        if root is not None and not isinstance(root, str):
            raise MotionError(f"{path}: root is {root!r}; expected the name of a body, site or shape of the source")
        numbers = [values.get(name) for name in ("scale", "time_scale")]
        if any(n is not None and (not isinstance(n, (int, float)) or not 0.01 <= n <= 100) for n in numbers):
            raise MotionError(f"{path}: scale and time_scale are {numbers}; expected numbers from 0.01 to 100")
        frames = {str(k): str(v) for k, v in values["frames"].items()}
        return cls(frames, {str(k): str(v) for k, v in (values.get("joints") or {}).items()}, root, *numbers)


def retarget(
    motion: Motion,
    source: RobotModel,
    target: RobotModel,
    mapping: RetargetMap,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Trajectory]:
    """Compute the motion of another robot.

    The source's root and frames are scaled about the ground. For each frame, inverse kinematics finds the pose of the target
    whose root has the scaled pose, whose frames are at the scaled places, and whose joints are near those of the source,
    within the joint limits. At the end the feet are put on the ground.

    Args:
        motion: clips of the source.
        source: the source robot, with the joints of the motion.
        target: the target robot, with its joints in the clip's order.
        mapping: how the two correspond.
        progress: called with the number of frames done.

    Returns:
        A trajectory of the target for each clip.

    Raises:
        MotionError: a robot lacks a frame or joint of the map, or the motion does not describe a pose.
    """
    source_root = ("body", source.root) if mapping.root is None else _find_frame(source, mapping.root)
    source_frames = [_find_frame(source, name) for name in mapping.frames]
    target_frames = [_find_frame(target, name) for name in mapping.frames.values()]
    scale = mapping.scale or _relative_size(source, source_frames, target, target_frames)
    time_scale = mapping.time_scale or np.sqrt(scale)
    solver = _Solver(source, target, target_frames, mapping)
    trajectories = []
    for states in motion.clips():
        path = root_path(states, motion.spec, motion.known_dt)
        joints = states[:, motion.spec.features["joint_pos"]].astype(float)
        poses = []
        for frame in range(len(states)):
            source.pose(path.position[frame], path.rotation[frame], joints[frame])
            root = _position(source, *source_root) * scale, _rotation(source, *source_root)
            places = [_position(source, *source_frame) * scale for source_frame in source_frames]
            poses.append(solver.solve(*root, places, joints[frame], frame == 0))
            progress(1)
        trajectories.append(_trajectory(motion, target, np.stack(poses), motion.known_dt * time_scale))
    mean = float(np.mean(solver.distances))
    note = f"scale {scale:.3f}, time {time_scale:.3f}, mean distance from the targets {mean * 1000:.0f} mm"
    if mean > _FAR:
        logger.warning("%s: %s: the robots differ too much for this map", motion.path, note)
    return [trajectory.with_note(note) for trajectory in trajectories]


class _Solver:
    """Inverse kinematics from frame to frame."""

    def __init__(self, source: RobotModel, target: RobotModel, frames: list[tuple[str, int]], mapping: RetargetMap) -> None:
        self._target = target
        self._configuration = mink.Configuration(target.model)
        root = target.model.body(target.root).name
        self._root = mink.FrameTask(root, "body", position_cost=_ROOT_COST, orientation_cost=_ROOT_COST)
        names = [_name(target.model, kind, index) for kind, index in frames]
        self._frames = [
            mink.FrameTask(name, kind, position_cost=_FRAME_COST, orientation_cost=0.0)
            for name, (kind, _) in zip(names, frames)
        ]
        self._posture = mink.PostureTask(target.model, cost=_POSTURE_COST)
        self._limits = [mink.ConfigurationLimit(target.model)]
        pairs = mapping.joints or {name: name for name in target.joint_names if name in source.joint_names}
        for mine, theirs in pairs.items():
            if mine not in target.joint_names or theirs not in source.joint_names:
                raise MotionError(
                    f"the map's joints: '{mine}: {theirs}'; expected a joint of the target and one of the source"
                )
        self._addresses = [int(target.model.joint(name).qposadr[0]) for name in pairs]
        self._columns = [source.joint_names.index(name) for name in pairs.values()]
        self.distances: list[float] = []
        """Mean distance from the frames' targets, for each frame [m]."""

    def solve(
        self, position: np.ndarray, rotation: Rotation, places: list[np.ndarray], joints: np.ndarray, is_first: bool
    ) -> np.ndarray:
        """Find the pose for one frame, (nq,), starting from the last one's."""
        self._root.set_target(_transform(position, rotation))
        for task, place in zip(self._frames, places):
            task.set_target(_transform(place, Rotation.identity()))
        preferred = self._configuration.q.copy()
        preferred[:7] = [*position, *rotation.as_quat(scalar_first=True)]
        preferred[self._addresses] = joints[self._columns]
        self._posture.set_target(preferred)
        if is_first:
            self._configuration.update(preferred)
        tasks = [self._root, *self._frames, self._posture]
        for _ in range(_FIRST_STEPS if is_first else _STEPS):
            velocity = mink.solve_ik(
                self._configuration, tasks, _STEP_TIME, solver="daqp", damping=_DAMPING, limits=self._limits
            )
            self._configuration.integrate_inplace(velocity, _STEP_TIME)
        errors = [np.linalg.norm(task.compute_error(self._configuration)[:3]) for task in self._frames]
        self.distances.append(float(np.mean(errors)))
        return self._configuration.q.copy()


def _transform(position: np.ndarray, rotation: Rotation) -> mink.SE3:
    return mink.SE3(np.concatenate([rotation.as_quat(scalar_first=True), position]))


def _trajectory(motion: Motion, target: RobotModel, poses: np.ndarray, dt: float) -> Trajectory:
    addresses = [int(target.model.joint(name).qposadr[0]) for name in target.joint_names]
    found = Trajectory(motion.path, poses[:, :3].copy(), poses[:, [4, 5, 6, 3]], poses[:, addresses], target.joint_names, dt)
    found.root_pos[:, 2] += ground_offset(found, target)
    return found


def _find_frame(robot: RobotModel, name: str) -> tuple[str, int]:
    """Kind and index of a body, site or shape."""
    for kind, code in (
        ("body", mujoco.mjtObj.mjOBJ_BODY),
        ("site", mujoco.mjtObj.mjOBJ_SITE),
        ("geom", mujoco.mjtObj.mjOBJ_GEOM),
    ):
        index = mujoco.mj_name2id(robot.model, code, name)
        if index >= 0:
            return kind, index
    bodies = ", ".join(robot.model.body(i).name for i in range(1, robot.model.nbody))
    raise MotionError(f"{robot.path}: has no body, site or shape '{name}'; its bodies are {bodies}")


def _name(model: mujoco.MjModel, kind: str, index: int) -> str:
    return {"body": model.body, "site": model.site, "geom": model.geom}[kind](index).name


def _position(robot: RobotModel, kind: str, index: int) -> np.ndarray:
    data = robot.data
    # mink takes a body's frame at its origin, too.
    return {"body": data.xpos, "site": data.site_xpos, "geom": data.geom_xpos}[kind][index].copy()


def _rotation(robot: RobotModel, kind: str, index: int) -> Rotation:
    data = robot.data
    matrix = {"body": data.xmat, "site": data.site_xmat, "geom": data.geom_xmat}[kind][index]
    return Rotation.from_matrix(matrix.reshape(3, 3))


def _relative_size(
    source: RobotModel, source_frames: list[tuple[str, int]], target: RobotModel, target_frames: list[tuple[str, int]]
) -> float:
    """Ratio of the mean distances of the frames from the root, in the zero pose."""
    reach = []
    for robot, frames in ((source, source_frames), (target, target_frames)):
        robot.pose(np.zeros(3), Rotation.identity(), np.zeros(len(robot.joints)))
        mujoco.mj_comPos(robot.model, robot.data)
        reach.append(np.mean([np.linalg.norm(_position(robot, kind, index)) for kind, index in frames]))
    if reach[0] < 1e-6:
        raise MotionError(f"{source.path}: the map's frames are at the root; name the feet")
    return float(reach[1] / reach[0])
