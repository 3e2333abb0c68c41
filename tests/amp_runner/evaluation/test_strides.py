import numpy as np
import pytest

from amp_runner.evaluation.legs import find_legs
from amp_runner.evaluation.strides import (
    joint_lags,
    leg_phases,
    mean_phase,
    phase_difference,
    stride_cycles,
    stride_distance,
)
from tests.amp_runner.evaluation.synthetic import BIPED, DT, PACE, QUADRUPED, TROT, WALK, gait

PHASE = np.arange(50) / 50


def cycle_of(spec, **kind):
    states = gait(spec, (0.5, 0.0, 0.0), **kind)
    return stride_cycles(states[:, spec.features["joint_pos"]], 0, DT).mean(axis=0)


@pytest.mark.parametrize("frequency", [1.3, 2.0, 3.1])
def test_a_recording_is_cut_at_the_maxima_of_the_hip(frequency):
    joints = gait(BIPED, (0.5, 0, 0), frequency=frequency, start=0.4)[:, BIPED.features["joint_pos"]]
    strides = stride_cycles(joints, 0, DT)
    assert len(strides) == pytest.approx(8.0 * frequency - 3, abs=1)
    hip = 0.3 * np.cos(2 * np.pi * PHASE) + 0.03 * np.cos(4 * np.pi * PHASE)
    np.testing.assert_allclose(strides.mean(axis=0)[:, 0], hip, atol=0.01)


def test_a_recording_of_less_than_three_strides_has_none():
    assert stride_cycles(gait(BIPED, (0.5, 0, 0), seconds=1.0)[:, BIPED.features["joint_pos"]], 0, DT).shape == (0, 50, 4)


def test_a_cycle_that_is_only_shifted_has_no_distance():
    cycle = cycle_of(BIPED)
    assert stride_distance(cycle, np.roll(cycle, 13, axis=0)) == 0.0


def test_the_distance_of_an_offset_is_the_offset():
    cycle = np.zeros((50, 3))
    assert stride_distance(cycle, cycle + 0.2) == pytest.approx(0.2)
    # One of four joints is off: 0.2 / sqrt(4).
    assert stride_distance(np.zeros((50, 4)), np.tile([0.2, 0, 0, 0], (50, 1))) == pytest.approx(0.1)


def hurried(by):
    """Two joints over a phase that is early in one half of the stride and late in the other, by a fraction of a stride."""
    phase = PHASE + by * np.sin(2 * np.pi * PHASE)
    return np.stack([np.cos(2 * np.pi * phase), np.sin(2 * np.pi * phase)], axis=1)


def test_warping_forgives_small_changes_of_timing_and_not_large_ones():
    assert stride_distance(hurried(0.0), hurried(0.05)) < 0.06 < 0.2 < stride_distance(hurried(0.0), hurried(0.2))
    rms = np.sqrt(np.square(hurried(0.0) - hurried(0.05)).mean())
    assert rms > 0.15, "without warping"


def test_a_lag_between_joints_is_not_warped_away():
    second = hurried(0.0)
    second[:, 1] = np.roll(second[:, 1], 15)
    assert stride_distance(hurried(0.0), second) > 0.3


@pytest.mark.parametrize("lag", [0.1, 0.25, 0.8])
def test_a_known_lag_between_hip_and_knee_is_recovered(lag):
    found = joint_lags(cycle_of(BIPED, lag=lag, noise=0.01), find_legs(BIPED.joint_names))
    np.testing.assert_allclose(found, [lag, lag], atol=0.01)


@pytest.mark.parametrize(("spec", "phases"), [(QUADRUPED, TROT), (QUADRUPED, PACE), (BIPED, WALK)])
def test_the_phases_of_the_legs_are_those_of_the_gait(spec, phases):
    found = leg_phases(cycle_of(spec, legs=phases, start=0.3), find_legs(spec.joint_names))
    assert phase_difference(found, np.array(phases)).max() < 0.01


def test_phases_are_averaged_and_compared_on_the_circle():
    assert phase_difference(np.array([0.95, 0.2]), np.array([0.05, 0.3])) == pytest.approx([0.1, 0.1])
    assert mean_phase(np.array([[0.9, 0.5], [0.1, 0.5]])) == pytest.approx([0.0, 0.5])
