"""A robot's kinematics from its MJCF or URDF file, through MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner.errors import MotionError
from amp_runner.motions.robot_file import floating_model, read_robot
from amp_runner.motions.root_path import root_path
from amp_runner.state import AMPStateSpec

CONTACT_HEIGHT = 0.005
"""A shape touches the ground if its lowest point is below this height [m]."""
ROBOTS_GROUP = "amp_runner.robots"
"""Entry points of packages that provide robots: the path of an MJCF file each."""
_NEAR = 0.1  # [m] shapes above need no exact lowest point


@dataclass(frozen=True)
class GroundContacts:
    """Motion of the bodies that come near the ground, over one clip."""

    names: list[str]
    """The bodies."""
    points: np.ndarray
    """Lowest point of each body in the world, (T, B, 3) [m]."""
    velocity: np.ndarray
    """Velocity of the body's material at that point, (T, B, 3) [m/s]."""

    @property
    def touching(self) -> np.ndarray:
        """Whether each body touches the ground, (T, B)."""
        return self.points[..., 2] < CONTACT_HEIGHT


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
        model, root, missing = read_robot(path, joint_names)
        self._set_up(str(path), model, root, joint_names, missing)

    @classmethod
    def from_spec(cls, spec: mujoco.MjSpec, name: str, joint_names: tuple[str, ...]) -> RobotModel:
        """Create a robot from MuJoCo's editable model, which is changed.

        Args:
            spec: the robot.
            name: its name, for messages.
            joint_names: joints of the motions, in order.

        Raises:
            MotionError: the robot lacks a joint.
        """
        robot = cls.__new__(cls)
        robot._set_up(name, *floating_model(spec, name, joint_names), joint_names, [])
        return robot

    def _set_up(self, path: str, model: mujoco.MjModel, root: str, joint_names: tuple[str, ...], missing: list[str]) -> None:
        self.path, self.model, self.missing_meshes = path, model, missing
        """The file, MuJoCo's model, and mesh files that could not be read, whose shapes are left out."""
        self.data = mujoco.MjData(self.model)
        self.joint_names = joint_names
        self.joints = [self.model.joint(name).id for name in joint_names]
        self._addresses = self.model.jnt_qposadr[self.joints]
        self.root = self.model.body(root).id
        """Index of the root body."""
        self._free = int(self.model.jnt_qposadr[self.model.body_jntadr[self.root]])

    @property
    def limits(self) -> np.ndarray:
        """Position limits of the joints, (J, 2) [rad]; infinite where there are none."""
        limited = self.model.jnt_limited[self.joints].astype(bool)
        return np.where(limited[:, None], self.model.jnt_range[self.joints], [-np.inf, np.inf])

    def body_ids(self, names: tuple[str, ...]) -> list[int]:
        """Return the indices of bodies.

        Raises:
            MotionError: the robot lacks one.
        """
        known = [self.model.body(i).name for i in range(self.model.nbody)]
        for name in names:
            if name not in known:
                raise MotionError(f"{self.path}: has no body '{name}'; it has {', '.join(known[1:])}")
        return [known.index(name) for name in names]

    def pose(self, position: np.ndarray, rotation: Rotation, joint_pos: np.ndarray) -> None:
        """Put the robot into a pose, which ``data`` then holds."""
        self.data.qpos[self._addresses] = joint_pos
        self.data.qpos[self._free : self._free + 7] = [*position, *rotation.as_quat(scalar_first=True)]
        mujoco.mj_kinematics(self.model, self.data)

    def body_poses(
        self, position: np.ndarray, rotation: Rotation, joint_pos: np.ndarray, bodies: list[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute positions (T, B, 3) [m] and rotation matrices (T, B, 3, 3) of bodies over a trajectory."""
        positions, matrices = np.empty((len(position), len(bodies), 3)), np.empty((len(position), len(bodies), 3, 3))
        for frame in range(len(position)):
            self.pose(position[frame], rotation[frame], joint_pos[frame])
            positions[frame], matrices[frame] = self.data.xpos[bodies], self.data.xmat[bodies].reshape(-1, 3, 3)
        return positions, matrices

    def ground_contacts(self, states: np.ndarray, spec: AMPStateSpec, dt: float) -> GroundContacts:
        """Find the bodies that come near the ground over one clip.

        Args:
            states: AMP states, (T, D).
            spec: their layout.
            dt: time step [s].

        Raises:
            MotionError: the states do not describe a pose.
        """
        path = root_path(states, spec, dt)
        return self.contacts_on_path(path.position, path.rotation, states[:, spec.features["joint_pos"]], dt)

    def contacts_on_path(self, position: np.ndarray, rotation: Rotation, joint_pos: np.ndarray, dt: float) -> GroundContacts:
        """Find the bodies that come near the ground.

        Args:
            position: root positions, (T, 3) [m].
            rotation: T root orientations.
            joint_pos: joint positions, (T, J) [rad].
            dt: time step [s].
        """
        shapes = self._solid_shapes()
        bodies = list(dict.fromkeys(int(self.model.geom_bodyid[shape]) for shape in shapes))
        frames, lowest = len(position), np.full((len(position), len(bodies), 3), np.inf)
        origins, matrices = np.empty((frames, len(bodies), 3)), np.empty((frames, len(bodies), 3, 3))
        for frame in range(frames):
            self.pose(position[frame], rotation[frame], joint_pos[frame])
            origins[frame], matrices[frame] = self.data.xpos[bodies], self.data.xmat[bodies].reshape(-1, 3, 3)
            for shape in shapes:
                column = bodies.index(self.model.geom_bodyid[shape])
                point = self._lowest_point(shape)
                if point[2] < lowest[frame, column, 2]:
                    lowest[frame, column] = point
        near = [c for c in range(len(bodies)) if lowest[:, c, 2].min() < 2 * CONTACT_HEIGHT]
        names = [self.model.body(bodies[column]).name for column in near]
        local = np.einsum("tbji,tbj->tbi", matrices, np.where(np.isfinite(lowest), lowest - origins, 0.0))
        velocity = _material_velocity(origins[:, near], matrices[:, near], local[:, near], dt)
        return GroundContacts(names, lowest[:, near], velocity)

    def lowest_heights(self, position: np.ndarray, rotation: Rotation, joint_pos: np.ndarray) -> np.ndarray:
        """Compute the height of the robot's lowest point over a trajectory, (T,) [m]."""
        shapes, heights = self._solid_shapes(), np.empty(len(position))
        for frame in range(len(position)):
            self.pose(position[frame], rotation[frame], joint_pos[frame])
            bottoms = self.data.geom_xpos[shapes, 2] - self.model.geom_rbound[shapes]
            lowest = np.inf
            for shape in np.array(shapes)[np.argsort(bottoms)]:
                if self.data.geom_xpos[shape, 2] - self.model.geom_rbound[shape] >= lowest:
                    break
                lowest = min(lowest, self._lowest_point(shape)[2])
            heights[frame] = lowest
        return heights

    def _solid_shapes(self) -> list[int]:
        """The collision shapes, or all shapes of a robot without any, whose collisions a simulator adds."""
        own = [g for g in range(self.model.ngeom) if self.model.geom_bodyid[g] > 0]
        return [g for g in own if self.model.geom_contype[g] or self.model.geom_conaffinity[g]] or own

    def _lowest_point(self, shape: int) -> np.ndarray:
        """Return the lowest point of a shape, in the world; of its bounding sphere, if that is well above the ground."""
        kind, size = self.model.geom_type[shape], self.model.geom_size[shape]
        centre, matrix = self.data.geom_xpos[shape], self.data.geom_xmat[shape].reshape(3, 3)
        if centre[2] - self.model.geom_rbound[shape] > _NEAR:
            return centre - [0.0, 0.0, self.model.geom_rbound[shape]]
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


def _material_velocity(origins: np.ndarray, matrices: np.ndarray, local: np.ndarray, dt: float) -> np.ndarray:
    """Velocity of the points ``local`` (T, B, 3) of moving bodies, by central differences of the same material point.

    The lowest point of a foot that rolls wanders over its sole, so its own derivative is no velocity of the foot.
    """
    if len(origins) < 3:
        return np.zeros_like(local)
    after = origins[2:] + np.einsum("tbij,tbj->tbi", matrices[2:], local[1:-1])
    before = origins[:-2] + np.einsum("tbij,tbj->tbi", matrices[:-2], local[1:-1])
    inner = (after - before) / (2 * dt)
    return np.concatenate([inner[:1], inner, inner[-1:]])
