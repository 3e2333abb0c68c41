"""Policies outside of the training: what an exported one consists of, how it runs, and plain MuJoCo to try it in.

Nothing here imports Isaac Lab. A robot needs :mod:`.description` and :mod:`.policy` only.
"""

from .description import PolicyDescription
from .policy import DeployedPolicy

__all__ = ["DeployedPolicy", "PolicyDescription"]
