"""A velocity task: follow the command, do not fall, be gentle. How to walk is left open."""

from isaaclab.envs import ManagerBasedRLEnvCfg, mdp
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass

# Your robot's scene and physics go here.
from ostrich_env.tasks.flat_env_cfg import PhysicsCfg, SceneCfg
from ostrich_env.tasks.mdp import track_ang_vel_z_world_exp, track_lin_vel_xy_yaw_frame_exp


@configclass
class CommandsCfg:
    """Velocity commands."""

    base_velocity = mdp.UniformVelocityCommandCfg(
        asset_name="robot",
        resampling_time_range=(5.0, 10.0),
        heading_command=False,
        ranges=mdp.UniformVelocityCommandCfg.Ranges(lin_vel_x=(-0.8, 0.8), lin_vel_y=(-0.5, 0.5), ang_vel_z=(-0.3, 0.3)),
    )


@configclass
class ActionsCfg:
    """Joint position targets around the default pose."""

    joint_pos = mdp.JointPositionActionCfg(asset_name="robot", joint_names=[".*"], scale=0.5, use_default_offset=True)


@configclass
class ObservationsCfg:
    """What the policy sees."""

    @configclass
    class PolicyCfg(ObsGroup):
        """Body, command, joints and the last action."""

        base_lin_vel = ObsTerm(func=mdp.base_lin_vel)
        base_ang_vel = ObsTerm(func=mdp.base_ang_vel)
        projected_gravity = ObsTerm(func=mdp.projected_gravity)
        velocity_commands = ObsTerm(func=mdp.generated_commands, params={"command_name": "base_velocity"})
        joint_pos = ObsTerm(func=mdp.joint_pos_rel)
        joint_vel = ObsTerm(func=mdp.joint_vel_rel)
        actions = ObsTerm(func=mdp.last_action)

    policy: PolicyCfg = PolicyCfg()


@configclass
class EventCfg:
    """Resets."""

    reset_base = EventTerm(
        func=mdp.reset_root_state_uniform, mode="reset", params={"pose_range": {"yaw": (-3.14, 3.14)}, "velocity_range": {}}
    )
    reset_joints = EventTerm(
        func=mdp.reset_joints_by_offset, mode="reset", params={"position_range": (-0.1, 0.1), "velocity_range": (0.0, 0.0)}
    )


@configclass
class RewardsCfg:
    """The task alone."""

    track_lin_vel = RewTerm(
        func=track_lin_vel_xy_yaw_frame_exp, weight=4.5, params={"command_name": "base_velocity", "std": 0.25}
    )
    track_ang_vel = RewTerm(
        func=track_ang_vel_z_world_exp, weight=6.0, params={"command_name": "base_velocity", "std": 0.25}
    )
    terminated = RewTerm(func=mdp.is_terminated, weight=-100.0)
    action_rate = RewTerm(func=mdp.action_rate_l2, weight=-0.01)
    joint_torques = RewTerm(func=mdp.joint_torques_l2, weight=-2.0e-3)


@configclass
class TerminationsCfg:
    """An episode ends in time, or when the robot falls."""

    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    tilted = DoneTerm(func=mdp.bad_orientation, params={"limit_angle": 0.8})
    fallen = DoneTerm(func=mdp.root_height_below_minimum, params={"minimum_height": 0.13})


@configclass
class WalkEnvCfg(ManagerBasedRLEnvCfg):
    """The task, at 50 Hz control."""

    sim: SimulationCfg = SimulationCfg(dt=0.005, physics=PhysicsCfg())
    scene: SceneCfg = SceneCfg(num_envs=4096, env_spacing=2.0)
    commands: CommandsCfg = CommandsCfg()
    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: EventCfg = EventCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()

    def __post_init__(self):
        """Set the control rate and the length of an episode."""
        self.decimation = 4
        self.episode_length_s = 20.0
