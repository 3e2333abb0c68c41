"""Converting foreign motion files into clips: readers give a :class:`Trajectory`, :func:`to_motion` AMP states of it."""

from amp_runner.motions.convert.conversion import Conversion, convert_file
from amp_runner.motions.convert.joint_map import map_joints
from amp_runner.motions.convert.options import ReadOptions
from amp_runner.motions.convert.readers import READERS, read_trajectory
from amp_runner.motions.convert.states import to_motion
from amp_runner.motions.convert.trajectory import Trajectory

__all__ = [
    "READERS",
    "Conversion",
    "ReadOptions",
    "Trajectory",
    "convert_file",
    "map_joints",
    "read_trajectory",
    "to_motion",
]
