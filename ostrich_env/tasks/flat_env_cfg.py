"""The velocity task on flat ground: ``Isaac-Velocity-Flat-Ostrich-v0``."""

import math

import isaaclab.sim as sim_utils
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import CurriculumTermCfg as CurrTerm
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.physics import PhysxAutoCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.sim import SimulationCfg
from isaaclab.terrains import TerrainImporterCfg
from isaaclab.utils import configclass, replace
from isaaclab.utils.noise import UniformNoiseCfg as Unoise
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg
from isaaclab_tasks.utils import PresetCfg

from amp_runner.isaaclab import AMPObsGroupCfg, FeetCfg, reset_to_reference
from ostrich_env.robot import MJCF
from ostrich_env.robot.articulation import OSTRICH_CFG
from ostrich_env.robot.description import FOOT_LINKS, FOOT_RADIUS, JOINT_NAMES, LOWER_LEG_LENGTH
from ostrich_env.tasks import mdp

FEET = list(FOOT_LINKS)


def _robot_joints() -> SceneEntityCfg:
    """The robot with its joints in the canonical order."""
    return SceneEntityCfg("robot", joint_names=list(JOINT_NAMES), preserve_order=True)


@configclass
class PhysicsCfg(PresetCfg):
    """Physics backends: Newton by default, PhysX (Isaac Sim or the ovphysx wheel) with ``physics=physx``."""

    isaacsim_physx = PhysxCfg()
    ovphysx = OvPhysxCfg()
    physx = PhysxAutoCfg(isaacsim_physx=isaacsim_physx, ovphysx=ovphysx)
    # Three spheres can touch the ground: 12 contacts and 40 constraints are ample. Stock sizes cost 3x on a CPU, the
    # elliptic cone 2.6x.
    newton_mjwarp = NewtonCfg(
        solver_cfg=MJWarpSolverCfg(njmax=40, nconmax=12, cone="pyramidal", integrator="implicitfast"),
        num_substeps=1,
    )
    default = newton_mjwarp


@configclass
class SceneCfg(InteractiveSceneCfg):
    """Flat ground, the robot, contact sensors, a light. Nothing is fetched from a server."""

    terrain = TerrainImporterCfg(
        class_type=mdp.OfflineTerrainImporter,
        prim_path="/World/ground",
        terrain_type="plane",
        collision_group=-1,
        physics_material=sim_utils.RigidBodyMaterialCfg(static_friction=1.0, dynamic_friction=1.0),
    )
    robot: ArticulationCfg = replace(OSTRICH_CFG, prim_path="{ENV_REGEX_NS}/Robot")
    contact_forces = ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/[^/]*", history_length=3, track_air_time=True)
    light = AssetBaseCfg(prim_path="/World/light", spawn=sim_utils.DomeLightCfg(intensity=1000.0))


@configclass
class CommandsCfg:
    """Velocity commands in the robot's heading frame."""

    base_velocity = mdp.UniformVelocityCommandCfg(
        asset_name="robot",
        resampling_time_range=(5.0, 10.0),
        rel_standing_envs=0.05,
        heading_command=False,
        debug_vis=False,
        ranges=mdp.UniformVelocityCommandCfg.Ranges(lin_vel_x=(-0.8, 0.8), lin_vel_y=(-0.5, 0.5), ang_vel_z=(-0.3, 0.3)),
    )


@configclass
class ActionsCfg:
    """Joint position targets around the standing pose."""

    joint_pos = mdp.JointPositionActionCfg(
        asset_name="robot", joint_names=list(JOINT_NAMES), preserve_order=True, scale=0.5, use_default_offset=True
    )


@configclass
class ObservationsCfg:
    """What the actor, the critic and the discriminator see."""

    @configclass
    class PolicyCfg(ObsGroup):
        """What the robot's own sensors measure, with noise."""

        base_ang_vel = ObsTerm(func=mdp.base_ang_vel, scale=0.25, noise=Unoise(n_min=-0.05, n_max=0.05))
        projected_gravity = ObsTerm(func=mdp.projected_gravity, noise=Unoise(n_min=-0.05, n_max=0.05))
        velocity_commands = ObsTerm(func=mdp.generated_commands, params={"command_name": "base_velocity"})
        joint_pos = ObsTerm(
            func=mdp.joint_pos_rel, params={"asset_cfg": _robot_joints()}, noise=Unoise(n_min=-0.02, n_max=0.02)
        )
        joint_vel = ObsTerm(
            func=mdp.joint_vel_rel,
            params={"asset_cfg": _robot_joints()},
            scale=0.05,
            noise=Unoise(n_min=-0.25, n_max=0.25),
        )
        actions = ObsTerm(func=mdp.last_action)

        def __post_init__(self):
            self.enable_corruption = True
            self.concatenate_terms = True
            # A point foot cannot be balanced from one frame: velocity and contact are read off the recent past.
            self.history_length = 5

    @configclass
    class CriticCfg(ObsGroup):
        """The actor's quantities without noise, and what only a simulator knows."""

        base_lin_vel = ObsTerm(func=mdp.base_lin_vel)
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel, scale=0.25)
        projected_gravity = ObsTerm(func=mdp.projected_gravity)
        velocity_commands = ObsTerm(func=mdp.generated_commands, params={"command_name": "base_velocity"})
        joint_pos = ObsTerm(func=mdp.joint_pos_rel, params={"asset_cfg": _robot_joints()})
        joint_vel = ObsTerm(func=mdp.joint_vel_rel, params={"asset_cfg": _robot_joints()}, scale=0.05)
        actions = ObsTerm(func=mdp.last_action)
        base_height = ObsTerm(func=mdp.base_pos_z)
        feet_contact = ObsTerm(
            func=mdp.feet_contact, params={"sensor_cfg": SceneEntityCfg("contact_forces", body_names=FEET)}
        )

        def __post_init__(self):
            self.enable_corruption = False
            self.concatenate_terms = True

    @configclass
    class AMPCommandCfg(ObsGroup):
        """The command, for a discriminator that is conditioned on it (``amp_cfg.command_group``)."""

        velocity_commands = ObsTerm(func=mdp.generated_commands, params={"command_name": "base_velocity"})

        def __post_init__(self):
            self.enable_corruption = False
            self.concatenate_terms = True

    policy: PolicyCfg = PolicyCfg()
    critic: CriticCfg = CriticCfg()
    amp = AMPObsGroupCfg()
    amp_command: AMPCommandCfg = AMPCommandCfg()

    def __post_init__(self):
        self.amp.state.params["asset_cfg"] = _robot_joints()


@configclass
class EventsCfg:
    """Domain randomisation and resets."""

    friction = EventTerm(
        func=mdp.randomize_rigid_body_material,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
            "static_friction_range": (0.5, 1.2),
            "dynamic_friction_range": (0.5, 1.2),
            "restitution_range": (0.0, 0.0),
            "num_buckets": 64,
            "make_consistent": True,
        },
    )
    base_mass = EventTerm(
        func=mdp.randomize_rigid_body_mass,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names="base_link"),
            "mass_distribution_params": (0.9, 1.2),
            "operation": "scale",
        },
    )
    actuator_gains = EventTerm(
        func=mdp.randomize_actuator_gains,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", joint_names=".*"),
            "stiffness_distribution_params": (0.9, 1.1),
            "damping_distribution_params": (0.9, 1.1),
            "operation": "scale",
        },
    )
    reset_base = EventTerm(
        func=mdp.reset_root_state_uniform,
        mode="reset",
        params={
            "pose_range": {"yaw": (-math.pi, math.pi)},
            "velocity_range": {axis: (-0.2, 0.2) for axis in ("x", "y", "roll", "pitch", "yaw")},
        },
    )
    reset_joints = EventTerm(
        func=mdp.reset_joints_by_offset,
        mode="reset",
        params={"position_range": (-0.1, 0.1), "velocity_range": (-0.5, 0.5)},
    )
    reset_to_reference = EventTerm(
        func=reset_to_reference,
        mode="reset",
        params={"motions": None, "probability": 0.7, "asset_cfg": _robot_joints(), "command_name": None},
    )
    push = EventTerm(
        func=mdp.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(6.0, 10.0),
        params={"velocity_range": {"x": (-0.3, 0.3), "y": (-0.3, 0.3)}},
    )


@configclass
class RewardsCfg:
    """The task alone: follow the command, gently. No term shapes the gait; that is the discriminator's work."""

    track_lin_vel = RewTerm(
        func=mdp.track_lin_vel_xy_yaw_frame_exp, weight=4.5, params={"command_name": "base_velocity", "std": 0.25}
    )
    track_ang_vel = RewTerm(
        func=mdp.track_ang_vel_z_world_exp, weight=6.0, params={"command_name": "base_velocity", "std": 0.25}
    )
    terminated = RewTerm(func=mdp.is_terminated, weight=-100.0)
    flat_orientation = RewTerm(func=mdp.flat_orientation_l2, weight=-1.0)
    action_rate = RewTerm(func=mdp.action_rate_l2, weight=-0.01)
    joint_torques = RewTerm(func=mdp.joint_torques_l2, weight=-2.0e-3)
    joint_acc = RewTerm(func=mdp.joint_acc_l2, weight=-1.0e-7)
    joint_limits = RewTerm(func=mdp.joint_pos_limits, weight=-1.0)


@configclass
class CurriculumCfg:
    """Learn the gait first: a large yaw weight from the start leads to short steps.

    The curriculum overwrites a yaw weight that was set by hand; ``env.curriculum.yaw_rate_weight=None`` disables it.
    """

    yaw_rate_weight = CurrTerm(
        func=mdp.modify_reward_weight,
        # 150 iterations of 24 steps
        params={"term_name": "track_ang_vel", "weight": 8.0, "num_steps": 3600},
    )


@configclass
class TerminationsCfg:
    """An episode ends in time, or when the robot falls."""

    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    tilted = DoneTerm(func=mdp.bad_orientation, params={"limit_angle": 0.8})
    fallen = DoneTerm(func=mdp.root_height_below_minimum, params={"minimum_height": 0.13})


@configclass
class OstrichFlatEnvCfg(ManagerBasedRLEnvCfg):
    """Velocity tracking on flat ground at 50 Hz control."""

    sim: SimulationCfg = SimulationCfg(dt=0.005, physics=PhysicsCfg())
    scene: SceneCfg = SceneCfg(num_envs=8192, env_spacing=2.0)
    observations: ObservationsCfg = ObservationsCfg()
    actions: ActionsCfg = ActionsCfg()
    commands: CommandsCfg = CommandsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()
    events: EventsCfg = EventsCfg()
    curriculum: CurriculumCfg = CurriculumCfg()

    feet = FeetCfg(body_names=FEET, offset=(0.0, 0.0, -LOWER_LEG_LENGTH), radius=FOOT_RADIUS)
    """Where the feet are, for gait measures."""
    mjcf = MJCF
    """The robot for plain MuJoCo, copied by ``amp-export``."""
    scripted_gait = "ostrich_env.gait.scripted:ScriptedGait"
    """A controller that walks without training, for ``amp-record --controller gait``."""

    def __post_init__(self):
        self.decimation = 4
        self.episode_length_s = 20.0
        self.sim.render_interval = self.decimation
        self.sim.physics_material = self.scene.terrain.physics_material
        self.scene.contact_forces.update_period = self.sim.dt
        self.viewer.eye, self.viewer.lookat = (1.9, 1.9, 0.9), (0.0, 0.0, 0.15)
        # The discriminator must see the state in which an episode ended, not the one it was reset to.
        self.compute_final_obs = True

    def play_mode(self):
        """Fewer robots, no noise, no pushes, every episode from standing."""
        super().play_mode()
        self.events.push = None
        self.events.reset_to_reference = None
