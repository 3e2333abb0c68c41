import pytest

from amp_runner.evaluation.legs import Leg, find_legs, hip_joint


@pytest.mark.parametrize(
    ("names", "legs"),
    [
        (("left_hip", "left_knee", "right_hip", "right_knee"), [Leg("left", 0, 1), Leg("right", 2, 3)]),
        (("FL_hip_joint", "FL_thigh_joint", "FL_calf_joint", "RR_thigh_joint"), [Leg("fl", 1, 2), Leg("rr", 3, None)]),
        (("L_hip_yaw", "L_hip_pitch", "L_knee", "L_elbow", "R_hip_pitch"), [Leg("l", 1, 2), Leg("r", 4, None)]),
        (("LF_HAA", "RH_HAA", "LF_HFE", "RH_HFE", "LF_KFE", "RH_KFE"), [Leg("lf", 2, 4), Leg("rh", 3, 5)]),
        (("hip_pitch_l", "hip_pitch_r", "knee_l", "knee_r"), [Leg("l", 0, 2), Leg("r", 1, 3)]),
        (("front_left_thigh", "front_left_calf"), [Leg("front_left", 0, 1)]),
        (("left_upper_leg_joint", "left_lower_leg_joint"), [Leg("left", 0, 1)]),
        (("left_shoulder_pitch", "right_elbow", "neck"), []),
    ],
)
def test_legs_are_found_by_the_names_of_their_joints(names, legs):
    assert find_legs(names) == legs


@pytest.mark.parametrize(
    ("names", "hip"), [(("FL_hip_joint", "FL_thigh_joint"), 1), (("waist", "thigh"), 1), (("a", "b"), 0)]
)
def test_the_hip_is_the_first_legs_else_the_first_that_is_named_so(names, hip):
    assert hip_joint(names) == hip
