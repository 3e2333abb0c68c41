"""The AMP state against a pose computed by hand, in all frames."""

import math
from types import SimpleNamespace

import pytest
import torch

from amp_runner import AMPStateSpec, ConfigError, amp_state
from amp_runner.state.rotations import gravity_to_quat, rotate_inverse, tangent_normal, tangent_normal_to_quat, yaw_quat
from amp_runner.state.sides import opposite_joint

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


class TestFeatureLists:
    """States of other robots: features by name, in any order."""

    BODIES = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])

    def test_the_order_is_the_listed_one(self):
        layout = ("joint_vel", "root_height", "joint_pos")
        found = state(YAW_90, layout=layout)
        torch.testing.assert_close(found, torch.tensor([1.0, 2.0, 0.23, 0.1, 0.2]))
        spec = AMPStateSpec(("a", "b"), layout=layout)
        assert spec.features == {"joint_vel": slice(0, 2), "root_height": slice(2, 3), "joint_pos": slice(3, 5)}
        assert spec.dim == 5 and spec.orientation is None
        assert spec.columns == ("joint_vel a", "joint_vel b", "root_height", "joint_pos a", "joint_pos b")

    def test_key_bodies_turn_into_the_frame_of_the_velocities(self):
        # The robot faces world +y: world (x, y) is (y, -x) in its heading frame.
        layout = ("key_body_pos", "key_body_vel")
        found = state(YAW_90, layout=layout, key_body_pos=self.BODIES, key_body_vel=-self.BODIES)
        expected = torch.tensor([2.0, -1.0, 3.0, 5.0, -4.0, 6.0])
        torch.testing.assert_close(found, torch.cat([expected, -expected]), atol=1e-6, rtol=0)

    def test_the_roots_axes_are_columns_of_its_rotation_without_yaw(self):
        # Nose down by 90 degrees: x points down, z forward. The world frame keeps the yaw, the heading frame does not.
        layout = ("root_tangent_normal",)
        found = state(PITCH_90, layout=layout, velocity_frame="world")
        torch.testing.assert_close(found, torch.tensor([0.0, 0.0, -1.0, 1.0, 0.0, 0.0]), atol=1e-6, rtol=0)
        upright = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        torch.testing.assert_close(state(YAW_90, layout=layout), upright, atol=1e-6, rtol=0)
        turned = torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
        torch.testing.assert_close(state(YAW_90, layout=layout, velocity_frame="world"), turned, atol=1e-6, rtol=0)

    def test_axes_give_their_rotation_back(self):
        quat = torch.nn.functional.normalize(torch.tensor([[0.1, -0.2, 0.6, 0.7], [0.3, 0.2, -0.1, 0.9]]), dim=-1)
        back = tangent_normal_to_quat(tangent_normal(quat))
        torch.testing.assert_close(torch.where(back[:, 3:] < 0, -back, back), quat)

    def test_contacts_are_numbers(self):
        found = state(YAW_90, layout=("foot_contact",), foot_contact=torch.tensor([[True, False]]))
        assert found.tolist() == [1.0, 0.0]

    def test_key_bodies_and_feet_extend_the_default_list(self):
        spec = AMPStateSpec(("a",), key_bodies=("hand",), feet=("left", "right"))
        assert spec.layout[-2:] == ("key_body_pos", "foot_contact") and spec.dim == 12 + 3 + 2

    @pytest.mark.parametrize(
        ("kwargs", "words"),
        [
            ({"layout": ("joint_position",)}, "unknown feature 'joint_position'.*joint_pos"),
            ({"layout": ("joint_pos", "joint_pos")}, "listed twice"),
            ({"layout": ("key_body_pos",)}, "needs key_bodies"),
            ({"layout": ("root_tangent_normal",), "velocity_frame": "body"}, "constant in the body frame"),
        ],
    )
    def test_impossible_lists_are_refused(self, kwargs, words):
        with pytest.raises(ConfigError, match=words):
            AMPStateSpec(("a",), **kwargs)

    def test_a_missing_input_is_named(self):
        with pytest.raises(ConfigError, match="'key_body_pos' is unknown, or its input was not passed"):
            state(YAW_90, layout=("key_body_pos",))

    def test_plain_data_restores_the_layout(self):
        for spec in (
            AMPStateSpec(("a",), "quaternion"),
            AMPStateSpec(("a",), layout=("joint_pos",), velocity_frame="world"),
        ):
            assert AMPStateSpec.from_dict(spec.to_dict()) == spec
        with pytest.raises(ConfigError, match="expected joint_names, and optionally orientation"):
            AMPStateSpec.from_dict({"joints": ["a"]})

    def test_groups_of_mjlab_are_dictionaries(self):
        robot = SimpleNamespace(joint_names=("left", "right"), preserve_order=True)
        params = {"asset_cfg": robot, "velocity_frame": "heading", "layout": ("joint_pos", "joint_vel")}
        group = SimpleNamespace(terms={"state": SimpleNamespace(params=params)})
        spec = AMPStateSpec.from_env_cfg(SimpleNamespace(observations={"amp": group}))
        assert spec == AMPStateSpec(("left", "right"), layout=("joint_pos", "joint_vel"))
