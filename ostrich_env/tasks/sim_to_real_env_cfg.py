"""The flat task with the real actuators' delay and backlash."""

from isaaclab.utils import configclass, replace

from ostrich_env.robot import description as robot
from ostrich_env.robot.actuators import DelayedBacklashPDActuatorCfg
from ostrich_env.robot.articulation import LEG_JOINTS, OSTRICH_CFG
from ostrich_env.tasks.flat_env_cfg import OstrichFlatEnvCfg

OSTRICH_REAL_JOINTS_CFG = replace(
    OSTRICH_CFG,
    actuators={
        "legs": DelayedBacklashPDActuatorCfg(
            **LEG_JOINTS,
            actuator_effort_limit=robot.EFFORT_LIMIT,
            min_delay=robot.DELAY_STEPS[0],
            max_delay=robot.DELAY_STEPS[1],
            backlash=robot.BACKLASH,
        )
    },
)


@configclass
class OstrichSimToRealEnvCfg(OstrichFlatEnvCfg):
    """Velocity tracking on flat ground with the joints of the real robot."""

    def __post_init__(self):
        super().__post_init__()
        self.sim.use_newton_actuators = False  # Newton's own actuators know delays, but no backlash
        self.scene.robot = replace(OSTRICH_REAL_JOINTS_CFG, prim_path=self.scene.robot.prim_path)
