"""Terms of the ostrich's task: Isaac Lab's, and the few that it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import isaaclab.sim as sim_utils
from isaaclab.envs.mdp import *  # noqa: F403
from isaaclab.terrains import TerrainImporter
from isaaclab_tasks.core.velocity.mdp import *  # noqa: F403

from amp_runner.isaaclab import ground_height
from ostrich_env.robot import ASSETS

if TYPE_CHECKING:
    import torch
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import SceneEntityCfg


def feet_contact(env: ManagerBasedRLEnv, sensor_cfg: SceneEntityCfg, threshold: float = 1.0) -> torch.Tensor:
    """Whether each foot presses on the ground with more than ``threshold`` [N], shape (N, F), 0 or 1."""
    forces = env.scene.sensors[sensor_cfg.name].data.net_normal_forces_w.torch[:, sensor_cfg.body_ids]
    return (forces.norm(dim=-1) > threshold).float()


def height_above_ground(env: ManagerBasedRLEnv, sensor_cfg: SceneEntityCfg) -> torch.Tensor:
    """Height of the root above the ground that a ray caster sees, shape (N, 1) [m]."""
    height = env.scene["robot"].data.root_link_pos_w.torch[:, 2]
    return (height - ground_height(env, sensor_cfg.name)).unsqueeze(-1)


class OfflineTerrainImporter(TerrainImporter):
    """Imports the plane from this package, where the stock importer asks an asset server."""

    def import_ground_plane(self, name: str, size: tuple[float, float] | None = None) -> None:
        """Add a plane to the terrain.

        Args:
            name: name of the terrain, unique.
            size: visual size [m]; the collision plane is infinite.

        Raises:
            ValueError: a terrain of that name exists.
        """
        prim_path = f"{self.cfg.prim_path}/{name}"
        if prim_path in self.terrain_prim_paths:
            raise ValueError(f"a terrain named '{name}' exists already; existing: {', '.join(self.terrain_names)}")
        self.terrain_prim_paths.append(prim_path)
        ground = sim_utils.GroundPlaneCfg(
            usd_path=str(ASSETS / "ground.usda"),
            physics_material=self.cfg.physics_material,
            size=size or self._compute_ground_plane_size(),
        )
        ground.func(prim_path, ground)
