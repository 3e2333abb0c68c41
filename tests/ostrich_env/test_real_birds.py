"""Gait measures beside real ostriches', on a gait whose numbers are known."""

import numpy as np
import pytest

from benchmarks.real_birds import GRAVITY, OSTRICH, medians, strides
from ostrich_env.gait.footfall import GaitParameters
from scripts.synthesise_motions import clips_of
from tests.conftest import REPOSITORY

SPEED = 0.5  # [m/s]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("walk") / "walk.npz"
    return strides(clips_of(np.array([[SPEED, 0.0, 0.0]]), path), OSTRICH)


def test_speed_frequency_and_phase_are_the_synthesised_ones(found):
    gait, command, time = GaitParameters(), np.array([SPEED, 0.0, 0.0]), np.sqrt(OSTRICH.leg_length / GRAVITY)
    assert found["speed"].mean() == pytest.approx(SPEED / np.sqrt(GRAVITY * OSTRICH.leg_length), rel=0.02)
    assert found["frequency"].mean() == pytest.approx(gait.stride_frequency(command) * time, rel=0.02)
    assert found["phase"].mean() == pytest.approx(0.5, abs=0.02)
    # A foot that lifts and lands softly counts as on the ground a little longer.
    assert gait.duty_factor(command) <= found["duty_factor"].mean() <= gait.duty_factor(command) + 0.06


def test_only_ranges_of_speed_with_three_strides_are_listed(found):
    (row,) = medians(found).values()
    assert row["strides"] == len(found["speed"]) >= 3


def test_the_skeleton_reaches_where_the_birds_toes_were():
    """Recorded positions of the links, if the files of vittorione94/ostrichrl lie beside the repository."""
    folder = REPOSITORY.parent / "shared" / "motions" / "ostrich"
    if not folder.is_dir():
        pytest.skip("needs the recordings")
    from scipy.spatial.transform import Rotation

    from amp_runner.motions.convert import ReadOptions, read_trajectory
    from amp_runner.motions.convert.safe_pickle import load_plain_pickle
    from amp_runner.motions.robot_file import joints_of
    from amp_runner.motions.robot_model import RobotModel

    skeleton = REPOSITORY / "motions" / "real_ostrich" / "skeleton.xml"
    robot = RobotModel(skeleton, joints_of(skeleton))
    trajectory = read_trajectory(str(folder / "qpos" / "cyclic.npy"), None, ReadOptions())
    positions = load_plain_pickle(str(folder / "xipos" / "cyclic.npy"))
    columns = [trajectory.joint_names.index(name) for name in robot.joint_names]
    for frame in range(0, len(positions), 50):
        rotation = Rotation.from_quat(trajectory.root_quat[frame])
        robot.pose(trajectory.root_pos[frame], rotation, trajectory.joint_pos[frame, columns])
        toes = [robot.data.geom(f"{side}_toe").xpos for side in ("right", "left")]
        np.testing.assert_allclose(toes, positions[frame, [3, 7]], atol=1e-4)
