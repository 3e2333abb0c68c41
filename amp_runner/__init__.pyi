from .errors import AMPError, CheckpointError, ConfigError, DivergenceError, EnvError, MotionError
from .learning.config import AMPCfg, DiscriminatorCfg, MirrorCfg
from .learning.discriminator import Discriminator
from .learning.ppo import AMPPPO
from .learning.replay_buffer import ReplayBuffer
from .learning.rollout_storage import AMPRolloutStorage
from .learning.runner import AMPOnPolicyRunner
from .motions.clip import Motion, load_motion, save_motion
from .motions.dataset import MotionDataset
from .state import AMPStateSpec, Mirror, amp_state

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
    "DivergenceError",
    "EnvError",
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
