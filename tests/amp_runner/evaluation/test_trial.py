import numpy as np
import pytest

from amp_runner.evaluation.trial import DIRECTIONS, commands_in, make_trial


def test_the_grid_covers_the_ranges_of_the_training():
    grid = commands_in({"lin_vel_x": [-0.8, 0.8], "lin_vel_y": [-0.5, 0.5], "ang_vel_z": [-0.3, 0.3]})
    assert len(grid) == 19 and grid[:9, 0].tolist() == pytest.approx([0.1 * i for i in range(9)])
    assert grid.min(axis=0).tolist() == [0.0, -0.5, -0.3] and grid.max(axis=0).tolist() == [0.8, 0.5, 0.3]
    forward_only = commands_in({"lin_vel_x": [0.4, 1.2], "lin_vel_y": [0.0, 0.0], "ang_vel_z": [0.0, 0.0]})
    assert (forward_only[:, 0] >= 0.4).all() and len(np.unique(forward_only, axis=0)) == len(forward_only)


def test_the_second_half_is_pushed_at_the_commands_of_the_first():
    trial = make_trial(5, np.array([[0.2, 0.0, 0.0], [0.4, 0.0, 0.0], [0.6, 0.0, 0.0]]), 9.0)
    assert trial.pushed.tolist() == [False, False, True, True, True]
    assert trial.commands[:, 0].tolist() == [0.2, 0.4, 0.2, 0.4, 0.6]
    assert trial.pushes.shape == (2, 5, 2), "one every 4 s"
    assert not trial.pushes[:, :2].any() and trial.pushes[:, 2:].all() and np.abs(trial.pushes).max() <= 0.3
    assert trial.push_unit is None


def test_a_push_follows_every_200th_step_of_20_ms():
    trial = make_trial(4, np.zeros((1, 3)), 9.0)
    assert [step for step in range(450) if trial.push_after(step, 0.02) is not None] == [199, 399]
    assert trial.push_after(399, 0.02) is not None and trial.push_after(599, 0.02) is None, "there are two"


def test_graded_pushes_come_equally_often_in_every_direction_and_speed():
    trial = make_trial(64, np.zeros((1, 3)), 20.0, root_height=0.981)
    unit = np.sqrt(9.81 * 0.981)
    assert trial.push_unit == pytest.approx(unit)
    assert trial.pushes.shape == (4, 64, 2), "at 4, 8, 12 and 16 s: 4 s follow each"
    assert not trial.pushes[:, :32].any()
    found = trial.pushes[:, 32:].reshape(-1, 2) / unit
    expected = [level * np.array(direction) for level in 0.15 * np.arange(1, 9) for direction in DIRECTIONS.values()]
    for push in expected:
        assert np.isclose(found, push).all(axis=-1).sum() == 4
