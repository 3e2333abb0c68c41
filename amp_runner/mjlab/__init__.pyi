from .adapt import with_amp
from .cfg import RslRlAmpPpoAlgorithmCfg, amp_obs_group, final_state_recorder, reference_reset
from .mdp import amp_state_term, reset_to_reference
from .runner import MjlabAMPRunner, runner_class

__all__ = [
    "MjlabAMPRunner",
    "RslRlAmpPpoAlgorithmCfg",
    "amp_obs_group",
    "amp_state_term",
    "final_state_recorder",
    "reference_reset",
    "reset_to_reference",
    "runner_class",
    "with_amp",
]
