"""Converting foreign motion files into clips: readers give a :class:`Trajectory`, :func:`to_motion` AMP states of it."""

from .readers import READERS, Hints, read_trajectory
from .trajectory import Trajectory, map_joints, to_motion

__all__ = ["READERS", "Hints", "Trajectory", "map_joints", "read_trajectory", "to_motion"]
