"""The running reference: reproducible, within the actuators' limits, ballistic in flight, driven by the forces it claims."""

import json

import numpy as np
import pytest

from amp_runner import load_motion
from ostrich_env.gait.body_motion import height_deviation, planar_deviation
from ostrich_env.gait.footfall import RUN, GaitParameters, foot_load
from ostrich_env.gait.walk import ostrich_spec, walking_clip
from ostrich_env.robot import description as robot
from ostrich_env.robot import kinematics
from scripts import synthesise_motions
from tests.conftest import REPOSITORY

FILE = REPOSITORY / "motions" / "run.npz"
FEATURES = ostrich_spec().features
FAST = np.array([1.1, 0.0, 0.0])


@pytest.fixture(scope="module")
def run():
    return load_motion(FILE)


def test_the_file_is_the_scripts_output(run, tmp_path):
    again = synthesise_motions.run(tmp_path / "run.npz")
    np.testing.assert_allclose(again.states, run.states, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(again.clip_lengths, run.clip_lengths)
    assert json.loads((FILE.parent / "manifest.json").read_text())["run.npz"]["sha256"] == run.sha256


def test_joint_limits_and_speeds_are_kept(run):
    joints, limits = run.states[:, FEATURES["joint_pos"]], robot.joint_limits()
    assert (joints > limits[:, 0]).all() and (joints < limits[:, 1]).all()
    assert np.abs(run.states[:, FEATURES["joint_vel"]]).max() < robot.VELOCITY_LIMIT


def test_the_mean_velocity_is_the_command(run):
    for clip, command in zip(run.clips(), run.clip_commands()):
        strides = int(3.0 * RUN.stride_frequency(command))
        whole = clip[: round(strides / RUN.stride_frequency(command) / run.dt)]
        np.testing.assert_allclose(whole[:, FEATURES["root_lin_vel"]].mean(axis=0)[:2], command[:2], atol=0.02)


@pytest.mark.parametrize("duty_factor", [0.42, 0.5, 0.6])
def test_two_feet_carry_the_weight(duty_factor):
    within = (np.arange(100_000) + 0.5) / 100_000
    loads = foot_load(within, duty_factor)
    assert loads.mean() == pytest.approx(0.5, abs=1e-4), "each foot half of it, over a stride"
    assert loads.min() == 0 and not loads[within > duty_factor].any()
    if duty_factor == 0.5:
        assert loads.max() == pytest.approx(np.pi / 2, abs=1e-3)


def test_a_run_flies_and_a_walk_does_not(run):
    for name, flies in (("run", True), ("walk", False)):
        motion = run if name == "run" else load_motion(FILE.parent / "walk.npz")
        fastest = motion.clip_commands()[:, 0].argmax()
        clip = motion.clips()[fastest].astype(np.float64)
        clearance = kinematics.foot_clearance(
            clip[:, FEATURES["joint_pos"]], clip[:, FEATURES["projected_gravity"]], clip[:, 0]
        )
        assert clearance.min() > -0.001, "no foot is below the ground"
        assert (clearance.min(axis=1).max() > 0.0005) == flies


def test_in_flight_the_body_falls_freely():
    """Half a stride after mid-stance of the left foot it stands on the right one; a quarter after, on none."""
    period, dt = 1 / RUN.stride_frequency(FAST), 1e-4
    time = 0.25 * period + np.arange(-20, 21) * dt
    acceleration = np.gradient(np.gradient(height_deviation(FAST, period, RUN, time), dt), dt)[5:-5]
    np.testing.assert_allclose(acceleration, -9.81, rtol=0.03)
    planar = planar_deviation(FAST, period, RUN, time)[:, 0]
    assert np.abs(np.gradient(np.gradient(planar, dt), dt)[5:-5]).max() < 0.3, "nothing pushes it forward there"


def test_the_body_is_a_pendulum_under_the_feets_force():
    """At mid-stance, where the foot is below the path: x'' = (g / h) f x, with f of half a sine at its top."""
    period, dt = 1 / RUN.stride_frequency(FAST), 1e-4
    time = np.arange(-20, 21) * dt + 0.02  # 20 ms later the foot is 0.02 v behind the path
    deviation = planar_deviation(FAST, period, RUN, time)[:, 0]
    duty_factor = RUN.duty_factor(FAST)
    force = np.pi / (4 * duty_factor) * np.cos(np.pi * 0.02 / (duty_factor * period))
    expected = 9.81 / robot.STANDING_HEIGHT * force * (deviation[20] + FAST[0] * 0.02)
    acceleration = np.gradient(np.gradient(deviation, dt), dt)[20]
    assert acceleration == pytest.approx(expected, rel=0.03)


def test_a_runner_is_lowest_in_mid_stance_and_a_walker_highest():
    for gait, sign in ((RUN, -1), (GaitParameters(), 1)):
        command = np.array([0.7, 0.0, 0.0])
        period = 1 / gait.stride_frequency(command)
        in_stance, between = height_deviation(command, period, gait, np.array([0.0, 0.25 * period]))
        assert sign * (in_stance - between) > 0.003


def test_faster_is_with_longer_strides_more_than_with_quicker_ones():
    slow, fast = (RUN.stride_frequency(np.array([v, 0.0, 0.0])) for v in (0.7, 1.1))
    assert fast / slow < (1.1 / fast) / (0.7 / slow)
    clip = walking_clip(FAST, 1.0, 0.02, ostrich_spec(), gait=RUN)
    assert np.isfinite(clip).all()
