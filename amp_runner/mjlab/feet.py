"""The robot's feet in mjlab: the lowest points of the bodies that a contact sensor names."""

from __future__ import annotations

import re
from typing import Any

import mujoco
import torch

from amp_runner.errors import ConfigError

_SENSOR = re.compile(r"(feet|foot).*(contact|ground)|(contact|ground).*(feet|foot)")


class FootProbe:
    """Reads what gait measures need beyond the AMP state: feet and power."""

    def __init__(self, env: Any, entity: str = "robot") -> None:
        """Find the feet.

        Args:
            env: mjlab's environment.
            entity: the robot's name in the scene.

        Raises:
            ConfigError: the scene has no contact sensor for the feet.
        """
        self._env, self._robot = env, env.scene[entity]
        names = [name for name in env.scene.sensors if _SENSOR.search(name)]
        sensors = [name for name in names if "force" in getattr(env.scene.sensors[name].cfg, "fields", ())]
        if not sensors:
            known = ", ".join(env.scene.sensors) or "none"
            raise ConfigError(
                f"the task's scene has no contact sensor for the feet, such as 'feet_ground_contact' (it has {known})"
            )
        self._sensor = env.scene.sensors[sensors[0]]
        model: mujoco.MjModel = env.sim.mj_model
        self._bodies = [_body_of(model, name, entity) for name in self._sensor.primary_names]
        self.names = [model.body(body).name.removeprefix(f"{entity}/") for body in self._bodies]
        shapes = [
            (foot, geom)
            for foot, body in enumerate(self._bodies)
            for geom in range(model.ngeom)
            if model.geom_bodyid[geom] == body and (model.geom_contype[geom] or model.geom_conaffinity[geom])
        ]
        device = env.device
        self._foot = torch.tensor([foot for foot, _ in shapes], device=device)
        self._geoms = torch.tensor([geom for _, geom in shapes], device=device)
        self._body_ids = torch.tensor(self._bodies, device=device)
        size = torch.tensor(model.geom_size[[geom for _, geom in shapes]], dtype=torch.float, device=device)
        kinds = [int(model.geom_type[geom]) for _, geom in shapes]
        self._half, self._radius = _half_extents(kinds, size)
        self.weight = float(model.body_mass[1:].sum()) * 9.81

    def read(self) -> dict[str, torch.Tensor]:
        """Return foot velocity (N, F, 3) and height (N, F) of the lowest points, contact (N, F), joint power (N,)."""
        data, count = self._env.sim.data, self._env.num_envs
        centre = data.geom_xpos[:, self._geoms]
        matrix = data.geom_xmat[:, self._geoms].view(count, -1, 3, 3)
        down = -matrix[:, :, 2]  # in the shape's own frame
        point = centre + torch.einsum("ngij,ngj->ngi", matrix, torch.sign(down) * self._half)
        point[..., 2] -= self._radius
        lowest = torch.stack([_lowest(point[:, self._foot == foot]) for foot in range(len(self._bodies))], dim=1)
        height = lowest[..., 2] - self._env.scene.env_origins[:, None, 2]
        cvel, com = data.cvel[:, self._body_ids], data.subtree_com[:, self._robot.data.indexing.root_body_id]
        velocity = cvel[..., 3:] + torch.cross(cvel[..., :3], lowest - com[:, None], dim=-1)
        force = self._sensor.data.force.view(count, len(self._bodies), -1, 3).norm(dim=-1).amax(dim=-1)
        power = (self._robot.data.qfrc_actuator * self._robot.data.joint_vel).abs().sum(dim=-1)
        return {"foot_velocity": velocity, "foot_height": height.clone(), "foot_force": force.clone(), "power": power}


def _body_of(model: mujoco.MjModel, name: str, entity: str) -> int:
    """Index of the body that a sensor's primary (a body, subtree or geom) belongs to."""
    for candidate in (name, f"{entity}/{name}"):
        body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, candidate)
        if body >= 0:
            return body
        geom = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, candidate)
        if geom >= 0:
            return int(model.geom_bodyid[geom])
    raise ConfigError(f"the contact sensor of the feet names '{name}', which is neither a body nor a shape")


def _half_extents(kinds: list[int], size: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half extents (G, 3) of the box, and the radius (G,) of the ball that is swept along it, for each shape [m]."""
    half, radius = torch.zeros_like(size), torch.zeros_like(size[:, 0])
    for row, kind in enumerate(kinds):
        if kind in (mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER):
            radius[row] = size[row, 0]
            half[row, 2] = 0.0 if kind == mujoco.mjtGeom.mjGEOM_SPHERE else size[row, 1]
        else:
            half[row] = size[row]  # of a mesh: its bounding box
    return half, radius


def _lowest(points: torch.Tensor) -> torch.Tensor:
    """The lowest of (N, G, 3) points of a foot, (N, 3)."""
    index = points[..., 2].argmin(dim=1)
    return points[torch.arange(len(points), device=points.device), index]
