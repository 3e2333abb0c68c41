"""The task on rough ground: bumps, slopes, boxes and steps, a robot's foot high at most. The robot does not see them."""

import isaaclab.terrains as terrains
from isaaclab.managers import CurriculumTermCfg, ObservationTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.sensors import RayCasterCfg, patterns
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg, NewtonCollisionPipelineCfg

from ostrich_env.tasks import mdp
from ostrich_env.tasks.flat_env_cfg import CurriculumCfg, OstrichFlatEnvCfg, PhysicsCfg, SceneCfg

# The legs are 0.25 m long and swing 0.03 m clear of the ground.
ROUGH_GROUND = terrains.TerrainGeneratorCfg(
    size=(8.0, 8.0),
    border_width=10.0,
    num_rows=8,
    num_cols=16,
    curriculum=True,
    horizontal_scale=0.1,
    vertical_scale=0.0025,
    slope_threshold=0.75,
    sub_terrains={
        "flat": terrains.MeshPlaneTerrainCfg(proportion=0.1),
        "bumps": terrains.HfRandomUniformTerrainCfg(proportion=0.3, noise_range=(0.0, 0.02), noise_step=0.0025),
        "slope": terrains.HfPyramidSlopedTerrainCfg(proportion=0.2, slope_range=(0.0, 0.25), platform_width=1.0),
        "boxes": terrains.MeshRandomGridTerrainCfg(
            proportion=0.2, grid_width=0.45, grid_height_range=(0.0, 0.02), platform_width=1.0
        ),
        "steps": terrains.MeshPyramidStairsTerrainCfg(
            proportion=0.2, step_height_range=(0.0, 0.025), step_width=0.4, platform_width=1.0
        ),
    },
)


@configclass
class RoughPhysicsCfg(PhysicsCfg):
    """The flat task's backends, with room for contacts with a mesh."""

    newton_mjwarp = NewtonCfg(
        solver_cfg=MJWarpSolverCfg(
            njmax=120, nconmax=40, cone="pyramidal", integrator="implicitfast", use_mujoco_contacts=False
        ),
        collision_cfg=NewtonCollisionPipelineCfg(max_triangle_pairs=2_500_000),
        num_substeps=1,
    )
    default = newton_mjwarp


@configclass
class RoughSceneCfg(SceneCfg):
    """The flat scene on generated ground, with rays that measure the height of the robot."""

    ground_rays = RayCasterCfg(
        prim_path="{ENV_REGEX_NS}/Robot/base_link",
        offset=RayCasterCfg.OffsetCfg(pos=(0.0, 0.0, 2.0)),
        ray_alignment="yaw",
        pattern_cfg=patterns.GridPatternCfg(resolution=0.1, size=(0.2, 0.2)),
        mesh_prim_paths=["/World/ground"],
        global_world_only=True,
    )


@configclass
class RoughCurriculumCfg(CurriculumCfg):
    """Harder ground for robots that get far."""

    terrain_levels = CurriculumTermCfg(func=mdp.terrain_levels_vel)


@configclass
class OstrichRoughEnvCfg(OstrichFlatEnvCfg):
    """Velocity tracking on rough ground at 50 Hz control."""

    scene: RoughSceneCfg = RoughSceneCfg(num_envs=4096, env_spacing=2.0)
    curriculum: RoughCurriculumCfg = RoughCurriculumCfg()

    def __post_init__(self):
        super().__post_init__()
        self.sim.physics = RoughPhysicsCfg()
        terrain = self.scene.terrain
        terrain.terrain_type, terrain.terrain_generator, terrain.max_init_terrain_level = "generator", ROUGH_GROUND, 2
        self.scene.ground_rays.update_period = self.decimation * self.sim.dt
        rays = SceneEntityCfg("ground_rays")
        self.observations.amp.state.params["ground_sensor"] = rays.name
        self.observations.critic.base_height = ObservationTermCfg(func=mdp.height_above_ground, params={"sensor_cfg": rays})
        base = SceneEntityCfg("contact_forces", body_names="base_link")
        self.terminations.fallen = TerminationTermCfg(
            func=mdp.illegal_contact, params={"sensor_cfg": base, "threshold": 1.0}
        )

    def play_mode(self):
        """As on flat ground; robots are spread over all of the terrain."""
        super().play_mode()
        self.scene.terrain.max_init_terrain_level = None
        self.scene.terrain.terrain_generator.curriculum = False
