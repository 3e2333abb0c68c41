"""Exported policies: their description, how to run them, and plain MuJoCo to try them in.

Nothing here imports Isaac Lab. A robot's own program does not need this package: the network is plain ONNX, and
``policy.json`` describes its inputs and outputs; :mod:`.policy` shows how to read it.
"""

from amp_runner.deploy.policy import DeployedPolicy
from amp_runner.deploy.policy_description import PolicyDescription

__all__ = ["DeployedPolicy", "PolicyDescription"]
