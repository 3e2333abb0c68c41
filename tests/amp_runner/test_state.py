"""The AMP state against a pose computed by hand, in all frames."""

import math
from types import SimpleNamespace

import pytest
import torch

from amp_runner import AMPStateSpec, ConfigError, amp_state
from amp_runner.state import gravity_to_quat, opposite_joint, rotate_inverse, yaw_quat

HALF = math.sqrt(0.5)
JOINT_POS = torch.tensor([[0.1, 0.2]])
JOINT_VEL = torch.tensor([[1.0, 2.0]])
LIN_VEL = torch.tensor([[1.0, 2.0, 3.0]])
ANG_VEL = torch.tensor([[4.0, 5.0, 6.0]])
YAW_90 = torch.tensor([[0.0, 0.0, HALF, HALF]])
PITCH_90 = torch.tensor([[0.0, HALF, 0.0, HALF]])


def state(quat, **kwargs):
    return amp_state(torch.tensor([0.23]), quat, JOINT_POS, LIN_VEL, ANG_VEL, JOINT_VEL, **kwargs)[0]


def expect(found, gravity, lin_vel, ang_vel):
    expected = torch.tensor([0.23, *gravity, 0.1, 0.2, *lin_vel, *ang_vel, 1.0, 2.0])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_world_frame_keeps_velocities():
    expect(state(YAW_90, velocity_frame="world"), (0, 0, -1), (1, 2, 3), (4, 5, 6))


def test_heading_frame_turns_velocities_by_minus_yaw():
    # The robot faces world +y, so world +y is forward and world +x is to its right.
    expect(state(YAW_90), (0, 0, -1), (2, -1, 3), (5, -4, 6))


def test_heading_frame_ignores_pitch_and_body_frame_does_not():
    # Nose down by 90 degrees: the body's x axis points to world -z, its z axis to world +x.
    pitch = torch.tensor([[0.0, math.sin(0.4), 0.0, math.cos(0.4)]])
    expect(state(pitch), (math.sin(0.8), 0, -math.cos(0.8)), (1, 2, 3), (4, 5, 6))
    expect(state(PITCH_90, velocity_frame="body"), (1, 0, 0), (-3, 2, 1), (-6, 5, 4))


def test_the_same_motion_in_another_direction_is_the_same_state():
    tilt = torch.tensor([[0.1, -0.2, 0.0, math.sqrt(1 - 0.05)]])
    x, y, z, w = tilt[0]
    turned = torch.stack([HALF * (x - y), HALF * (x + y), HALF * (w + z), HALF * (w - z)]).unsqueeze(0)  # YAW_90 * tilt
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    here = amp_state(torch.tensor([0.2]), tilt, JOINT_POS, LIN_VEL, ANG_VEL, JOINT_VEL)
    there = amp_state(torch.tensor([0.2]), turned, JOINT_POS, LIN_VEL @ turn.T, ANG_VEL @ turn.T, JOINT_VEL)
    torch.testing.assert_close(here, there, atol=1e-6, rtol=0)


def test_quaternion_variant_has_one_number_more_and_a_fixed_sign():
    spec = AMPStateSpec(("a", "b"), orientation="quaternion")
    found = state(-YAW_90, orientation="quaternion")
    assert len(found) == spec.dim == 15
    torch.testing.assert_close(found[spec.features["root_quat_xyzw"]], YAW_90[0])


def test_six_joints_make_22_numbers_or_23():
    joints = tuple("abcdef")
    assert AMPStateSpec(joints).dim == 22
    assert AMPStateSpec(joints, orientation="quaternion").dim == 23
    assert AMPStateSpec(joints).layout == (
        "root_height",
        "projected_gravity",
        "joint_pos",
        "root_lin_vel",
        "root_ang_vel",
        "joint_vel",
    )


def test_unknown_frames_are_refused():
    with pytest.raises(ConfigError, match="velocity_frame is 'local'; expected one of heading, world, body"):
        AMPStateSpec(("a",), velocity_frame="local")


def test_environments_that_do_not_tell_have_no_layout():
    assert AMPStateSpec.from_env_cfg({}) is None
    assert AMPStateSpec.from_env_cfg(None) is None


@pytest.mark.parametrize("ordered", [True, False])
def test_joints_that_would_come_in_the_simulations_order_are_refused(ordered):
    robot = SimpleNamespace(joint_names=["left", "right"], preserve_order=ordered)
    term = SimpleNamespace(params={"asset_cfg": robot, "velocity_frame": "heading"})
    cfg = SimpleNamespace(observations=SimpleNamespace(amp=SimpleNamespace(state=term)))
    if ordered:
        assert AMPStateSpec.from_env_cfg(cfg).joint_names == ("left", "right")
        return
    with pytest.raises(ConfigError, match="without preserve_order=True"):
        AMPStateSpec.from_env_cfg(cfg)


def test_partners_differ_in_one_occurrence_of_a_side():
    names = ("l_shoulder_pitch", "r_shoulder_pitch", "l_hip_roll_joint", "r_hip_roll_joint", "torso")
    for left, right in ((names[0], names[1]), (names[2], names[3])):
        assert opposite_joint(left, names, ("l_", "r_")) == right
        assert opposite_joint(right, names, ("l_", "r_")) == left
    assert opposite_joint("torso", names) == "torso"
    assert opposite_joint("left_toe", names) == "right_toe", "what it would be called"


def test_an_orientation_from_gravity_sees_that_gravity_and_has_no_yaw():
    """Roll 0.4 then pitch 0.3: R = Ry(0.3) Rx(0.4), so R^T (0, 0, -1) = (sin p, -cos p sin r, -cos p cos r)."""
    roll, pitch = torch.tensor(0.4), torch.tensor(0.3)
    gravity = torch.stack([pitch.sin(), -pitch.cos() * roll.sin(), -pitch.cos() * roll.cos()])
    quat = gravity_to_quat(gravity)
    torch.testing.assert_close(rotate_inverse(quat, torch.tensor([0.0, 0.0, -1.0])), gravity)
    torch.testing.assert_close(yaw_quat(quat), torch.tensor([0.0, 0.0, 0.0, 1.0]))
