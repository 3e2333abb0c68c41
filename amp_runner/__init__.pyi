from .config import AMPCfg, DiscriminatorCfg, MirrorCfg
from .discriminator import Discriminator
from .errors import AMPError, CheckpointError, ConfigError, MotionError
from .mirror import Mirror
from .motion import MotionDataset
from .motion_file import Motion, load_motion, save_motion
from .ppo import AMPPPO
from .replay import ReplayBuffer
from .runner import AMPOnPolicyRunner
from .state import AMPStateSpec, amp_state
from .storage import AMPRolloutStorage

__version__: str

__all__ = [
    "AMPPPO",
    "AMPCfg",
    "AMPError",
    "AMPOnPolicyRunner",
    "AMPRolloutStorage",
    "AMPStateSpec",
    "CheckpointError",
    "ConfigError",
    "Discriminator",
    "DiscriminatorCfg",
    "Mirror",
    "MirrorCfg",
    "Motion",
    "MotionDataset",
    "MotionError",
    "ReplayBuffer",
    "amp_state",
    "load_motion",
    "save_motion",
]
