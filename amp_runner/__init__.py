"""Adversarial motion priors (AMP) on RSL-RL's PPO.

The environment exposes the observation group ``amp``; the rest is here::

    from amp_runner import AMPOnPolicyRunner
    runner = AMPOnPolicyRunner(env, train_cfg, log_dir="logs/run", device="cuda:0")
    runner.learn(num_learning_iterations=1500, init_at_random_ep_len=True)
"""

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

__version__ = "0.1.0"

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
