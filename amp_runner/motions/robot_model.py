"""A robot's kinematics from its MJCF or URDF file, through MuJoCo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import mujoco
import numpy as np
import torch
import trimesh
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.state import AMPStateSpec, gravity_to_quat

CONTACT_HEIGHT = 0.005
"""A shape touches the ground if its lowest point is below this height [m]."""


_FIRST_HIDDEN_GROUP = 3  # MuJoCo's viewers hide groups from 3 on


ROBOTS_GROUP = "amp_runner.robots"
"""Entry points of packages that provide robots: the path of an MJCF file each."""


@dataclass(frozen=True)
class RootPath:
    """Root poses in the world."""

    position: np.ndarray
    """(T, 3) [m]."""
    rotation: Rotation
    """T orientations."""


def root_path(states: np.ndarray, spec: AMPStateSpec, dt: float) -> RootPath:
    """Integrate the root's velocities: an AMP state has no horizontal position and no yaw.

    Args:
        states: AMP states of one clip, (T, D).
        spec: their layout.
        dt: time step [s].

    Returns:
        Poses that start at the origin, facing +x.
    """
    part = {name: states[:, columns].astype(float) for name, columns in spec.features.items()}
    if spec.orientation == "gravity":
        tilt = Rotation.from_quat(gravity_to_quat(torch.from_numpy(part["projected_gravity"])).numpy())
    else:
        rotation = Rotation.from_quat(part["root_quat_xyzw"])
        tilt = Rotation.from_euler("z", -_yaw(rotation)[:, None]) * rotation
    linear, angular = part["root_lin_vel"], part["root_ang_vel"]
    if spec.velocity_frame == "body":
        linear, angular = tilt.apply(linear), tilt.apply(angular)
    pitch = np.arcsin(np.clip(-tilt.as_matrix()[:, 2, 0], -1, 1))
    # The yaw rate is the vertical angular velocity, plus the forward one times the tangent of the pitch.
    yaw = _integrated(angular[:, 2] + angular[:, 0] * np.tan(pitch), dt)
    heading = Rotation.from_euler("z", yaw[:, None])
    if spec.velocity_frame == "world" and spec.orientation == "quaternion":
        heading, tilt = Rotation.identity(), Rotation.from_quat(part["root_quat_xyzw"])
    if spec.velocity_frame != "world":
        linear = heading.apply(linear)
    planar = np.stack([_integrated(linear[:, axis], dt) for axis in (0, 1)], axis=1)
    return RootPath(np.concatenate([planar, part["root_height"]], axis=1), heading * tilt)


def _yaw(rotation: Rotation) -> np.ndarray:
    matrix = rotation.as_matrix()
    return np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0])


def _integrated(rate: np.ndarray, dt: float) -> np.ndarray:
    """Return the trapezoidal integral, starting at zero, (T,)."""
    return np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * dt)])


def registered_robot(joint_names: tuple[str, ...]) -> str | None:
    """Return the file of an installed robot that has the joints ``joint_names``; None if there is none."""
    for entry_point in entry_points(group=ROBOTS_GROUP):
        path = str(entry_point.load())
        model = mujoco.MjModel.from_xml_path(path)
        if {model.joint(i).name for i in range(model.njnt)} >= set(joint_names):
            return path
    return None


class RobotModel:
    """Bodies and shapes of a robot with a floating base."""

    def __init__(self, path: str | Path, joint_names: tuple[str, ...]) -> None:
        """Read the model.

        Args:
            path: MJCF or URDF file.
            joint_names: joints of the motions, in order.

        Raises:
            MotionError: the file cannot be read, or lacks a joint.
        """
        try:
            self.model = mujoco.MjModel.from_xml_path(str(path))
        except ValueError as error:
            raise MotionError(f"{path}: not a robot that MuJoCo can read: {str(error).splitlines()[0]}") from None
        self.data = mujoco.MjData(self.model)
        self.joint_names = joint_names
        self.joints = [mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in joint_names]
        if -1 in self.joints:
            known = ", ".join(self.model.joint(i).name for i in range(self.model.njnt))
            raise MotionError(f"{path}: has no joint '{joint_names[self.joints.index(-1)]}'; it has {known}")
        self._addresses = self.model.jnt_qposadr[self.joints]
        self._root = 1  # the first body after the world

    @property
    def limits(self) -> np.ndarray:
        """Position limits of the joints, (J, 2) [rad]; infinite where there are none."""
        limited = self.model.jnt_limited[self.joints].astype(bool)
        return np.where(limited[:, None], self.model.jnt_range[self.joints], [-np.inf, np.inf])

    def pose(self, position: np.ndarray, rotation: Rotation, joint_pos: np.ndarray) -> None:
        """Put the robot into a pose, which ``data`` then holds."""
        self.data.qpos[self._addresses] = joint_pos
        free = self.model.body_jntadr[self._root]
        if free >= 0 and self.model.jnt_type[free] == mujoco.mjtJoint.mjJNT_FREE:
            start = self.model.jnt_qposadr[free]
            self.data.qpos[start : start + 7] = [*position, *rotation.as_quat(scalar_first=True)]
        else:  # a URDF's root is fixed to the world: move it there
            self.model.body_pos[self._root] = position
            self.model.body_quat[self._root] = rotation.as_quat(scalar_first=True)
        mujoco.mj_kinematics(self.model, self.data)

    def shapes(self) -> Iterator[tuple[int, trimesh.Trimesh, tuple[float, float, float]]]:
        """Yield the shapes with which the robot is drawn: number, mesh in the body's frame, and colour.

        These are the visual ones (MuJoCo's groups 0 to 2) if the robot has any, else the collision shapes.
        """
        model = self.model
        own = [g for g in range(model.ngeom) if model.geom_bodyid[g] > 0]
        seen = [g for g in own if model.geom_group[g] < _FIRST_HIDDEN_GROUP] or own
        for shape in seen:
            pose = np.eye(4)
            pose[:3, :3] = Rotation.from_quat(model.geom_quat[shape], scalar_first=True).as_matrix()
            pose[:3, 3] = model.geom_pos[shape]
            mesh = self._mesh(shape)
            mesh.apply_transform(pose)
            red, green, blue = (float(c) for c in model.geom_rgba[shape][:3])
            yield shape, mesh, (red, green, blue)

    def _mesh(self, shape: int) -> trimesh.Trimesh:
        model, size = self.model, self.model.geom_size[shape]
        kind = model.geom_type[shape]
        if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
            return trimesh.creation.capsule(height=2 * size[1], radius=size[0])
        if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
            return trimesh.creation.cylinder(radius=size[0], height=2 * size[1])
        if kind == mujoco.mjtGeom.mjGEOM_BOX:
            return trimesh.creation.box(extents=2 * size)
        if kind == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = model.geom_dataid[shape]
            vertices, faces = model.mesh_vertadr[mesh], model.mesh_faceadr[mesh]
            return trimesh.Trimesh(
                model.mesh_vert[vertices : vertices + model.mesh_vertnum[mesh]],
                model.mesh_face[faces : faces + model.mesh_facenum[mesh]],
            )
        radii = np.full(3, size[0]) if kind == mujoco.mjtGeom.mjGEOM_SPHERE else size
        ball = trimesh.creation.icosphere(subdivisions=2)
        ball.apply_scale(radii)
        return ball

    def lowest_points(self, states: np.ndarray, spec: AMPStateSpec, dt: float) -> tuple[list[str], np.ndarray]:
        """Find the lowest point of every body that comes near the ground, over one clip.

        Args:
            states: AMP states, (T, D).
            spec: their layout.
            dt: time step [s].

        Returns:
            The bodies' names, and the points in the world, (T, B, 3) [m].
        """
        path = root_path(states, spec, dt)
        joints = states[:, spec.features["joint_pos"]]
        shapes = [g for g in range(self.model.ngeom) if self.model.geom_contype[g] and self.model.geom_bodyid[g] > 0]
        points = np.empty((len(states), len(shapes), 3))
        for frame in range(len(states)):
            self.pose(path.position[frame], path.rotation[frame], joints[frame])
            for column, shape in enumerate(shapes):
                points[frame, column] = self._lowest_point(shape)
        bodies = self.model.geom_bodyid[shapes]
        near = [b for b in dict.fromkeys(bodies) if points[:, bodies == b, 2].min() < 2 * CONTACT_HEIGHT]
        lowest = np.empty((len(states), len(near), 3))
        for column, body in enumerate(near):
            own = points[:, bodies == body]
            lowest[:, column] = own[np.arange(len(states)), own[..., 2].argmin(axis=1)]
        return [self.model.body(body).name for body in near], lowest

    def _lowest_point(self, shape: int) -> np.ndarray:
        """Return the lowest point of a shape, in the world."""
        kind, size = self.model.geom_type[shape], self.model.geom_size[shape]
        centre, matrix = self.data.geom_xpos[shape], self.data.geom_xmat[shape].reshape(3, 3)
        down = -matrix[2]  # in the shape's own frame
        if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
            support = down * size[0]
        elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
            support = down * size[0] + np.array([0, 0, np.copysign(size[1], down[2])])
        elif kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
            support = size**2 * down / np.linalg.norm(size * down)
        elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
            radial = down[:2] / max(np.linalg.norm(down[:2]), 1e-9)
            support = np.array([*(radial * size[0]), np.copysign(size[1], down[2])])
        elif kind == mujoco.mjtGeom.mjGEOM_MESH:
            mesh = self.model.geom_dataid[shape]
            start = self.model.mesh_vertadr[mesh]
            vertices = self.model.mesh_vert[start : start + self.model.mesh_vertnum[mesh]]
            support = vertices[(vertices @ down).argmax()]
        else:
            support = np.copysign(size, down)
        return centre + matrix @ support
