"""Gait measures against signals whose answer is known."""

import dataclasses

import numpy as np
import pytest

from amp_runner import AMPStateSpec
from amp_runner.evaluation import gait_metrics

SPEC = AMPStateSpec(("left_hip", "left_knee", "right_hip", "right_knee"))
DT = 0.02


def walker(commands, frequency=2.0, amplitude=0.3, seconds=10.0, error=(0.0, 0.0)):
    """Robots that swing their legs as a sine and move at the command plus ``error``."""
    steps, count = round(seconds / DT), len(commands)
    time = np.arange(steps) * DT
    states = np.zeros((steps, count, SPEC.dim))
    joints = states[..., SPEC.features["joint_pos"]]
    joints[..., 0] = amplitude * np.sin(2 * np.pi * frequency * time)[:, None]
    joints[..., 2] = -joints[..., 0]
    commands = np.array(commands, dtype=float)
    states[..., SPEC.features["root_lin_vel"]][..., :2] = commands[:, :2] + error
    states[..., SPEC.features["root_ang_vel"]][..., 2] = commands[:, 2]
    return gait_metrics.GaitRecording(
        states=states,
        commands=commands,
        episode_time=np.repeat(time[:, None], count, axis=1),
        falls=np.zeros((steps, count), dtype=bool),
        actions=np.zeros((steps, count, 4)),
        foot_velocity=np.full((steps, count, 2, 3), 0.1),
        foot_height=np.zeros((steps, count, 2)),
        foot_contact=np.ones((steps, count, 2), dtype=bool),
        power=np.full((steps, count), 5.0),
        weight=10.0,
        dt=DT,
        spec=SPEC,
    )


@pytest.mark.parametrize("frequency", [0.6, 1.93, 2.5, 8.0])
def test_dominant_frequency_of_a_sine_with_offset(frequency):
    time = np.arange(500) * DT
    signal = 0.4 + 0.1 * np.sin(2 * np.pi * frequency * time)
    assert gait_metrics.dominant_frequency(signal, DT) == pytest.approx(frequency, abs=0.02)


def test_measures_of_a_perfect_walker():
    found = gait_metrics.compute_gait_metrics(walker([(0.5, 0.0, 0.0), (0.0, 0.0, 0.3)]), hip=0)
    assert found["velocity_error_mps"] == pytest.approx(0.0)
    assert found["yaw_rate_error_radps"] == pytest.approx(0.0)
    assert found["falls_per_minute"] == 0
    assert found["stride_frequency_hz"] == pytest.approx(2.0, abs=0.02)
    assert found["hip_amplitude_rad"] == pytest.approx(0.3 / np.sqrt(2), rel=0.01)
    assert found["left_right_asymmetry"] == pytest.approx(0.0)
    assert found["duty_factor"] == 1.0
    assert found["foot_slip_mps"] == pytest.approx(0.1 * np.sqrt(2))
    assert found["cost_of_transport"] == pytest.approx(5.0 / (10.0 * 0.5))
    assert found["action_rate"] == 0.0


def test_velocity_error_is_the_mean_norm_of_the_deviation():
    found = gait_metrics.compute_gait_metrics(walker([(0.5, 0.0, 0.0)], error=(0.03, 0.04)), hip=0)
    assert found["velocity_error_mps"] == pytest.approx(0.05)
    assert found["mean_velocity_error_mps"] == pytest.approx(0.05)


def test_the_beginning_of_an_episode_is_left_out():
    rollout = walker([(0.5, 0.0, 0.0)])
    rollout.states[: round(2.0 / DT), :, SPEC.features["root_lin_vel"]] += 10.0
    assert gait_metrics.compute_gait_metrics(rollout, hip=0)["velocity_error_mps"] == pytest.approx(0.0)


def test_falls_are_counted_by_the_minute_and_fallen_robots_have_no_stride():
    rollout = walker([(0.5, 0.0, 0.0), (0.5, 0.0, 0.0)], seconds=30.0)
    rollout.falls[100, 0] = True
    rollout.states[..., SPEC.features["joint_pos"]][:, 0] = np.random.default_rng(0).normal(size=(1500, 4))
    found = gait_metrics.compute_gait_metrics(rollout, hip=0)
    assert found["falls_per_minute"] == pytest.approx(1.0)
    assert found["stride_frequency_hz"] == pytest.approx(2.0, abs=0.02)


def test_the_reference_is_the_clip_with_the_nearest_command():
    slow, fast = (walker([(v, 0, 0)], frequency=f).states[:, 0] for v, f in ((0.4, 1.0), (0.8, 2.0)))
    clip_commands = np.array([[0.4, 0, 0], [0.8, 0, 0]])

    def frequency(*commands):
        found = gait_metrics.reference_metrics([slow, fast], clip_commands, np.array(commands), DT, SPEC, hip=0)
        return found["reference_stride_frequency_hz"]

    assert frequency((0.3, 0, 0), (0.1, 0, 0)) == pytest.approx(1.0, abs=0.02)
    assert frequency((0.7, 0.1, 0)) == pytest.approx(2.0, abs=0.02)
    assert np.isnan(frequency((0.1, 0, 0)))


def test_windows_do_not_cross_sequences():
    sequences = [np.arange(4.0)[:, None], 100 + np.arange(3.0)[:, None]]
    windows = gait_metrics.windows_of(sequences, num_frames=3)
    np.testing.assert_array_equal(windows, [[0, 1, 2], [1, 2, 3], [100, 101, 102]])


def test_style_distance_of_shifted_normals_is_the_shift():
    rng = np.random.default_rng(0)
    expert = rng.normal(size=(20_000, 3))
    assert gait_metrics.style_distance(expert, rng.normal(size=(20_000, 3))) < 0.05
    assert gait_metrics.style_distance(expert, rng.normal(size=(20_000, 3)) + np.array([2.0, 0, 0])) == pytest.approx(
        2.0, rel=0.03
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("left_hip", "right_hip", "left_knee", "right_knee"), 2 / 3),
        (("l_hip_roll", "r_hip_roll", "l_shoulder_pitch", "r_shoulder_pitch"), 2 / 3),
        (("FL_thigh", "FR_thigh", "FL_calf", "FR_calf"), 2 / 3),
        (("a", "b", "c", "d"), None),
    ],
)
def test_asymmetry_finds_the_other_side_by_its_name(names, expected):
    rollout = walker([(0.5, 0.0, 0.0)])
    joints = rollout.states[..., SPEC.features["joint_pos"]]
    joints[..., 1] = 2.0 * joints[..., 0]
    found = gait_metrics.compute_gait_metrics(dataclasses.replace(rollout, spec=AMPStateSpec(names)), hip=0)
    assert found.get("left_right_asymmetry") == pytest.approx(expected)


def test_the_beginning_of_an_episode_counts_in_no_measure():
    quiet, noisy = walker([(0.5, 0.0, 0.0)]), walker([(0.5, 0.0, 0.0)])
    random, start = np.random.default_rng(0), round(gait_metrics.SETTLING_TIME / DT)
    for values in (noisy.states, noisy.actions, noisy.foot_velocity):
        values[: start - 1] += random.normal(size=values[: start - 1].shape)
    expected, found = gait_metrics.compute_gait_metrics(quiet, hip=0), gait_metrics.compute_gait_metrics(noisy, hip=0)
    assert found == pytest.approx(expected, rel=0.05)
