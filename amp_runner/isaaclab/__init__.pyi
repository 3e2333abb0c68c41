from .adapt import with_amp
from .cfg import (
    AMPObsGroupCfg,
    FeetCfg,
    RslRlAmpCfg,
    RslRlAmpPpoAlgorithmCfg,
    RslRlAmpRunnerCfg,
    RslRlDiscriminatorCfg,
    RslRlMirrorCfg,
)
from .mdp import amp_state_term, ground_height, reset_to_reference, write_amp_states

__all__ = [
    "AMPObsGroupCfg",
    "FeetCfg",
    "RslRlAmpCfg",
    "RslRlAmpPpoAlgorithmCfg",
    "RslRlAmpRunnerCfg",
    "RslRlDiscriminatorCfg",
    "RslRlMirrorCfg",
    "amp_state_term",
    "ground_height",
    "reset_to_reference",
    "with_amp",
    "write_amp_states",
]
