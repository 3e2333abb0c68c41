import numpy as np
import pytest

from amp_runner.evaluation.pushes import push_measures, push_outcomes, survived_speed
from amp_runner.evaluation.trial import Trial
from tests.amp_runner.evaluation.synthetic import BIPED, DT, gait, recording

INTERVAL = 200
"""Steps between pushes."""


def outcomes(survivors, pushes=5):
    """Speeds and survival of ``pushes`` pushes of 0.1, 0.2, ... m/s, so many of which are survived."""
    speeds = np.repeat(0.1 * np.arange(1, len(survivors) + 1), pushes)
    return speeds, np.concatenate([np.arange(pushes) < alive for alive in survivors])


@pytest.mark.parametrize(
    ("survivors", "speed"),
    [
        ((5, 5, 4, 0), 0.3),  # exactly 80 % survive 0.3
        ((5, 5, 3, 0), 0.25),  # 100 % at 0.2 and 60 % at 0.3
        ((5, 3, 5, 0), 0.3),  # 60 % and 100 % are pooled to 80 %
        ((0, 0, 0, 0), 0.02),  # from 100 % without a push to none at 0.1
        ((5, 5, 5, 5), 0.4),  # all: at least the strongest
    ],
)
def test_the_speed_that_80_percent_survive(survivors, speed):
    assert survived_speed(*outcomes(survivors)) == pytest.approx(speed)


def test_without_a_push_there_is_no_result():
    assert np.isnan(survived_speed(np.zeros(0), np.zeros(0, dtype=bool)))


@pytest.fixture
def pushed_walk():
    """Four robots at 0.5 m/s; the third and the fourth are pushed forward by 0.4 m/s after 4 s and 8 s."""
    states = [gait(BIPED, (0.5, 0.0, 0.0), seconds=12.0) for _ in range(4)]
    walk = recording(BIPED, states, [(0.5, 0.0, 0.0)] * 4)
    pushes = np.zeros((2, 4, 2))
    pushes[:, 2:, 0] = 0.4
    return walk, Trial(walk.commands, np.array([False, False, True, True]), pushes, 12.0, push_unit=4 / 3)


def test_a_fall_before_the_next_push_is_not_survived(pushed_walk):
    walk, trial = pushed_walk
    walk.falls[INTERVAL + 30, 2] = True
    walk.episode_time[INTERVAL + 30 :, 2] = DT * np.arange(600 - INTERVAL - 30)
    found = push_outcomes(walk, trial, 2.0)
    assert found.survived.tolist() == [False, True, True, True]
    walk.falls[2 * INTERVAL - 50, 3] = True
    walk.episode_time[2 * INTERVAL - 50 :, 3] = DT * np.arange(250)
    found = push_outcomes(walk, trial, 2.0)
    assert found.survived.tolist() == [False, False, True], "one second after a new start the next push does not count"


def test_the_time_until_the_velocity_is_again_that_of_a_stride(pushed_walk):
    walk, trial = pushed_walk
    forward = walk.spec.features["root_lin_vel"].start
    walk.states[INTERVAL : INTERVAL + 50, 2, forward] += 0.4  # for one second
    found = push_outcomes(walk, trial, 2.0)
    # 50 frames are disturbed, and the mean over a stride of 25 frames is not from the 25th frame after them on.
    assert found.recovery_time.tolist() == pytest.approx([(50 + 24) * DT, 0.0, 0.0, 0.0])


def test_measures_by_direction_with_the_impulse(pushed_walk):
    walk, trial = pushed_walk
    measures = push_measures(walk, trial, 2.0)
    assert measures["push_survived_forward_mps"] == pytest.approx(0.4), "none falls: the strongest push"
    assert measures["push_survived_forward_ns"] == pytest.approx(0.4 * 10.0 / 9.81), "the robots weigh 10 N"
    assert np.isnan(measures["push_survived_left_mps"]), "nobody was pushed to the left"
    assert measures["push_recovery_time_s"] == 0.0, "a push of 0.3 times the unit that changed nothing"
