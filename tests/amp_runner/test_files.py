"""Only regular files are read: from a pipe or a device nothing may ever come, or something for ever."""

import os

import pytest

from amp_runner import AMPError, load_motion
from amp_runner.cli.overrides import preset_overrides
from amp_runner.deploy import DeployedPolicy
from amp_runner.files import read_file
from amp_runner.learning.checkpoint import read_checkpoint
from amp_runner.motions.convert import ReadOptions, read_trajectory
from amp_runner.motions.convert.joint_map import read_joint_map
from amp_runner.motions.robot_model import RobotModel

READERS = {
    "a.npz": load_motion,
    "a.csv": lambda path: read_trajectory(path, "csv"),
    "a.txt": read_trajectory,
    "a.pkl": read_trajectory,
    "a.motion": lambda path: read_trajectory(path, None, ReadOptions()),
    "a.yaml": lambda path: preset_overrides([path]),
    "map.yaml": read_joint_map,
    "robot.xml": lambda path: RobotModel(path, ()),
    "model.pt": lambda path: read_checkpoint(path, "cpu"),
    "policy.json": lambda path: DeployedPolicy(os.path.dirname(path)),
}


@pytest.mark.parametrize("name", READERS)
def test_pipes_are_refused(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(AMPError, match="Not a regular file"):
        READERS[name](str(tmp_path / name))


def test_devices_folders_and_large_files_are_refused(tmp_path):
    (tmp_path / "a").write_bytes(bytes(11))
    assert read_file(tmp_path / "a", 11) == bytes(11)
    for path, words in (("/dev/zero", "Not a regular file"), (tmp_path, "Is a directory"), (tmp_path / "a", "Larger than")):
        with pytest.raises(OSError, match=words):
            read_file(path, 10)
