"""Meshes of a robot's shapes, for drawing."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from amp_runner.motions.robot_model import RobotModel

_FIRST_HIDDEN_GROUP = 3  # MuJoCo's viewers hide groups from 3 on


def robot_shapes(robot: RobotModel) -> Iterator[tuple[int, trimesh.Trimesh, tuple[float, float, float]]]:
    """Yield the shapes with which the robot is drawn: number, mesh in the body's frame, and colour.

    These are the visual ones (MuJoCo's groups 0 to 2) if the robot has any, else the collision shapes.
    """
    model = robot.model
    own = [g for g in range(model.ngeom) if model.geom_bodyid[g] > 0]
    seen = [g for g in own if model.geom_group[g] < _FIRST_HIDDEN_GROUP] or own
    for shape in seen:
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_quat(model.geom_quat[shape], scalar_first=True).as_matrix()
        pose[:3, 3] = model.geom_pos[shape]
        mesh = _mesh(model, shape)
        mesh.apply_transform(pose)
        red, green, blue = (float(c) for c in model.geom_rgba[shape][:3])
        yield shape, mesh, (red, green, blue)


def _mesh(model: mujoco.MjModel, shape: int) -> trimesh.Trimesh:
    size = model.geom_size[shape]
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
