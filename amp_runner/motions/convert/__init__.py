"""Converting foreign motion files into clips: readers give a :class:`Trajectory`, :func:`to_motion` AMP states of it."""

from amp_runner.motions.convert.readers import READERS, ReadOptions, read_trajectory
from amp_runner.motions.convert.trajectory import Trajectory, map_joints, to_motion

__all__ = ["READERS", "ReadOptions", "Trajectory", "map_joints", "read_trajectory", "to_motion"]
