"""The ostrich as an Isaac Lab articulation."""

import isaaclab.sim as sim_utils
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab_newton.sim.schemas import NewtonArticulationCfg
from isaaclab_physx.sim.schemas import PhysxArticulationCfg

from ostrich_env.robot import ASSETS
from ostrich_env.robot import description as robot

LEG_JOINTS = {
    "joint_names_expr": [".*_joint"],
    "joint_effort_limit": robot.EFFORT_LIMIT,
    "joint_velocity_limit": robot.VELOCITY_LIMIT,
    "stiffness": robot.STIFFNESS,
    "damping": robot.DAMPING,
    "armature": robot.ARMATURE,
    "friction": robot.JOINT_FRICTION,
}
"""Arguments shared by all actuator models of the legs."""

OSTRICH_CFG = ArticulationCfg(
    spawn=sim_utils.UsdFileCfg(
        usd_path=str(ASSETS / "ostrich.usda"),
        activate_contact_sensors=True,
        # The legs cross the midline in a narrow gait; their shapes would only get in each other's way.
        articulation_props=[
            PhysxArticulationCfg(enabled_self_collisions=False),
            NewtonArticulationCfg(self_collision_enabled=False),
        ],
    ),
    init_state=ArticulationCfg.InitialStateCfg(
        pos=(0.0, 0.0, robot.STANDING_HEIGHT + 0.005),
        joint_pos=robot.DEFAULT_JOINT_POS,
    ),
    # Newton orders joints depth-first, PhysX breadth-first; clips, observations and actions need one order.
    joint_ordering=list(robot.JOINT_NAMES),
    soft_joint_pos_limit_factor=0.95,
    actuators={"legs": ImplicitActuatorCfg(**LEG_JOINTS)},
)
