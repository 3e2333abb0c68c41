from .compute import amp_frames, amp_state
from .mirror import Mirror
from .spec import AMP_GROUP, FEATURES, AMPStateSpec, Orientation, VelocityFrame

__all__ = ["AMP_GROUP", "FEATURES", "AMPStateSpec", "Mirror", "Orientation", "VelocityFrame", "amp_frames", "amp_state"]
