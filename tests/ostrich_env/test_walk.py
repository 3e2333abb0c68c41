"""The reference motion: reproducible, within the actuators' limits, feet on the ground, velocities of its positions."""

import json

import numpy as np
import pytest

from amp_runner import load_motion
from amp_runner.evaluation.gait_metrics import dominant_frequency
from ostrich_env.gait.footfall import swing_shape
from ostrich_env.gait.walk import GaitParameters, ostrich_spec, walking_clip
from ostrich_env.robot import description as robot
from ostrich_env.robot import kinematics
from scripts import synthesise_motions
from tests.conftest import REPOSITORY

WALK = REPOSITORY / "motions" / "walk.npz"
SPEC = ostrich_spec()
FEATURES = SPEC.features


@pytest.fixture(scope="module")
def walk():
    return load_motion(WALK)


def feature(states, name):
    return states[:, FEATURES[name]].astype(np.float64)


def test_the_file_is_the_scripts_output(walk, tmp_path):
    """To the sixth digit: on another processor, the last digit of a sine may differ."""
    again = synthesise_motions.walk(tmp_path / "walk.npz")
    np.testing.assert_allclose(again.states, walk.states, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(again.clip_lengths, walk.clip_lengths)
    np.testing.assert_allclose(again.commands, walk.commands, atol=1e-6)
    assert json.loads((WALK.parent / "manifest.json").read_text())["walk.npz"]["sha256"] == walk.sha256


def test_the_file_says_what_it_is(walk):
    assert walk.dt == 0.02
    assert walk.joint_names == robot.JOINT_NAMES
    assert walk.velocity_frame == "heading"
    assert len(walk.states) * walk.dt >= 60
    speed = walk.commands[:, 0]
    assert speed.max() == pytest.approx(0.8) and speed.min() == pytest.approx(-0.8)
    assert np.abs(walk.commands[:, 1]).max() > 0.4 and np.abs(walk.commands[:, 2]).max() > 0.25


def test_joint_limits_and_speeds_are_kept(walk):
    joints, limits = feature(walk.states, "joint_pos"), robot.joint_limits()
    assert (joints > limits[:, 0]).all() and (joints < limits[:, 1]).all()
    assert np.abs(feature(walk.states, "joint_vel")).max() < robot.VELOCITY_LIMIT


def test_stance_feet_are_on_the_ground_and_do_not_slide(walk):
    for clip, command in zip(walk.clips(), walk.clip_commands()):
        joints, gravity = feature(clip, "joint_pos"), feature(clip, "projected_gravity")
        clearance = kinematics.foot_clearance(joints, gravity, clip[:, 0].astype(np.float64))
        assert clearance.min() > -0.001, "no foot is below the ground"
        assert clearance.min(axis=1).max() < 0.005, "a foot is on the ground at all times"
        on_ground = (clearance < 1e-4).mean()
        assert on_ground == pytest.approx(GaitParameters().duty_factor(command), abs=0.06)
        assert clearance.max() == pytest.approx(GaitParameters().clearance, abs=0.005)


def test_stance_feet_stand_still_in_the_world():
    """A standing foot's velocity: the body's, plus the turning, plus the joints'; differentiated at 1 kHz."""
    states = walking_clip(np.array([0.5, 0.0, 0.0]), 1.0, 0.001, SPEC).astype(np.float64)
    joints, gravity = feature(states, "joint_pos"), feature(states, "projected_gravity")
    clearance = kinematics.foot_clearance(joints, gravity, states[:, 0])
    feet = kinematics.foot_positions(joints)
    x, y, z = gravity.T
    roll, pitch = np.arctan2(-y, -z), np.arcsin(x)
    # Heading frame: pitch and roll applied, no yaw on a straight path.
    cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
    rotation = np.stack(
        [np.stack([cp, sp * sr, sp * cr], -1), np.stack([0 * cr, cr, -sr], -1), np.stack([-sp, cp * sr, cp * cr], -1)],
        1,
    )
    in_heading = np.einsum("tij,tfj->tfi", rotation, feet)
    velocity = np.gradient(in_heading, 0.001, axis=0) + feature(states, "root_lin_vel")[:, None]
    standing = clearance < 1e-6
    standing[:2] = standing[-2:] = False
    assert np.linalg.norm(velocity[standing][:, :2], axis=1).max() < 0.02


def test_velocities_are_the_derivatives_of_positions():
    states = walking_clip(np.array([0.4, 0.2, 0.3]), 1.0, 0.001, SPEC).astype(np.float64)
    joint_vel = np.gradient(feature(states, "joint_pos"), 0.001, axis=0)[2:-2]
    np.testing.assert_allclose(feature(states, "joint_vel")[2:-2], joint_vel, atol=0.05)
    vertical = np.gradient(states[:, 0], 0.001)[2:-2]
    np.testing.assert_allclose(feature(states, "root_lin_vel")[2:-2, 2], vertical, atol=1e-3)
    assert feature(states, "root_ang_vel")[:, 2].mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(("speed", "frequency"), [(0.3, 1.9), (0.5, 2.1), (0.7, 2.4)])
def test_stride_frequency_is_scaled_by_froude_number(speed, frequency):
    clip = walking_clip(np.array([speed, 0.0, 0.0]), 10.0, 0.02, SPEC)
    hip = clip[:, FEATURES["joint_pos"]][:, 1]
    assert dominant_frequency(hip, 0.02) == pytest.approx(frequency, abs=0.05)


def test_the_mean_velocity_is_the_command():
    for command in [(0.5, 0.0, 0.0), (0.0, 0.4, 0.0), (-0.6, 0.2, 0.3)]:
        period = 1 / GaitParameters().stride_frequency(np.array(command))
        clip = walking_clip(np.array(command), round(4 * period, 3), 0.001, SPEC)
        np.testing.assert_allclose(feature(clip, "root_lin_vel")[:, :2].mean(axis=0), command[:2], atol=0.01)


def test_the_swing_goes_ahead_early_and_backward_in_reversed_time():
    swing = np.linspace(0, 1, 1001)
    progress, lift = swing_shape(swing, 1.0, 3)
    assert progress[[0, 500, 1000]] == pytest.approx([0, 0.5 + 0.17, 1]) and (np.diff(progress) >= 0).all()
    assert lift[[0, 250, 500, 1000]] == pytest.approx([0, 0.75**4, 1, 0])  # hump 0.75^3, less a quarter
    backward, backward_lift = swing_shape(swing, -1.0, 3)
    np.testing.assert_allclose(backward, 1 - progress[::-1], atol=1e-12)
    np.testing.assert_allclose(backward_lift, lift[::-1], atol=1e-12)


@pytest.mark.parametrize("speed", [0.3, -0.3, 0.6, -0.6])
def test_the_hip_swings_almost_as_a_sine_does(speed):
    command = np.array([speed, 0.0, 0.0])
    period = 1 / GaitParameters().stride_frequency(command)
    count = round(10 * period / 0.001)
    hip = feature(walking_clip(command, count * 0.001, 0.001, SPEC), "joint_pos")[:, 1]
    harmonics = np.abs(np.fft.rfft(hip))[[10, 30]]  # of the ten strides' spectrum, the stride's first and third
    # Along the foot's smoothest way it is a quarter or more; an acceleration's share is nine times that of the angle.
    assert harmonics[1] < 0.18 * harmonics[0]
