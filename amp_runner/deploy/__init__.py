"""Policies outside of the training: what an exported one consists of, how it runs, and plain MuJoCo to try it in.

Nothing here imports Isaac Lab. A robot's own program can do without this package too: the network is plain ONNX, and
``policy.json`` says what goes in and what comes out; :mod:`.policy` is how to read it.
"""

from amp_runner.deploy.policy import DeployedPolicy
from amp_runner.deploy.policy_description import PolicyDescription

__all__ = ["DeployedPolicy", "PolicyDescription"]
