"""Good clips pass; each way to break one is named."""

from dataclasses import replace

import numpy as np
import pytest

from amp_runner import AMPStateSpec, load_motion
from amp_runner.motions.check import check_motion
from amp_runner.motions.check_robot import foot_slip
from amp_runner.motions.edit import cut_motion
from amp_runner.motions.robot_model import RobotModel
from amp_runner.motions.root_path import root_path
from ostrich_env.gait.walk import ostrich_spec, walking_clip
from ostrich_env.robot.description import JOINT_NAMES
from tests.conftest import ASSETS, REPOSITORY

OSTRICH = ASSETS / "ostrich.xml"
SPEC = ostrich_spec()


@pytest.fixture(scope="module")
def robot():
    return RobotModel(OSTRICH, JOINT_NAMES)


@pytest.fixture
def walk():
    motion = load_motion(REPOSITORY / "motions" / "walk.npz")
    return cut_motion(motion, clips=[20])


def errors(motion, robot=None, **kwargs):
    return [finding.text for finding in check_motion(motion, robot, **kwargs) if finding.is_error]


def changed(motion, change):
    states = motion.states.copy()
    change({name: states[:, columns] for name, columns in SPEC.features.items()})
    return replace(motion, states=states)


def test_the_shipped_clips_pass(robot):
    assert errors(load_motion(REPOSITORY / "motions" / "walk.npz"), robot, max_joint_speed=22.0) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["projected_gravity"].__imul__(1.1), "projected_gravity has length 1.100"),
        (lambda s: s["projected_gravity"].__imul__(-1.0), "upside down"),
        (lambda s: s["joint_vel"].__imul__(2.0), "not the derivative of the position (ratio 0.5"),
        (lambda s: s["root_height"].__isub__(1.0), "at or below the ground"),
        (lambda s: s["root_height"].__isub__(0.05), "mm in the ground"),
        (lambda s: s["root_height"].__iadd__(0.5), "ever touches the ground"),
        (lambda s: s["joint_pos"][:, 1].__iadd__(1.5), "left_upper_leg_joint goes from"),
        (lambda s: s["joint_pos"][70:, 2].__isub__(0.5), "frames look broken (they jump from the frame before): 70"),
        (lambda s: s["root_lin_vel"][:, 0].__iadd__(1.0), "left_lower_leg_link slips at 1.0"),
    ],
)
def test_every_defect_is_named(walk, robot, change, words):
    found = errors(changed(walk, change), robot)
    assert any(words in text for text in found), found


def test_speeds_beyond_the_actuators_are_named(walk):
    (text,) = errors(walk, max_joint_speed=float(np.abs(walk.states[:, SPEC.features["joint_vel"]]).max()) - 0.01)
    assert "the limit is" in text


def test_missing_knowledge_is_noted_but_no_error(walk):
    findings = check_motion(replace(walk, commands=None, licence=""))
    assert [finding.is_error for finding in findings] == [False, False, False]
    for finding, words in zip(findings, ("no 'commands'", "no 'licence'", "joint limits and feet are not checked")):
        assert words in finding.text


def test_slip_is_measured_inside_stances_only():
    """On the ground in frames 0 to 4 moving at 0.1 m/s, then away at 5 m/s."""
    touching = np.arange(10) < 5
    velocity = np.zeros((10, 3))
    velocity[:, 0] = np.where(np.arange(10) < 4, 0.1, 5.0)
    assert foot_slip(touching, velocity) == pytest.approx(0.1)
    assert foot_slip(np.zeros(10, bool), velocity) is None


@pytest.mark.parametrize("frame", ["heading", "body", "world"])
@pytest.mark.parametrize("orientation", ["gravity", "quaternion"])
def test_the_path_of_the_root_is_the_one_that_was_walked(frame, orientation):
    spec = AMPStateSpec(JOINT_NAMES, orientation, frame)
    command, seconds = np.array([0.4, 0.1, 0.5]), 4.0
    path = root_path(walking_clip(command, seconds, 0.02, spec), spec, 0.02)
    turned = path.rotation[-1] * path.rotation[0].inv()
    assert turned.as_rotvec()[2] == pytest.approx(0.5 * (seconds - 0.02), abs=0.02)
    radius = np.hypot(0.4, 0.1) / 0.5
    chord = np.linalg.norm(path.position[-1, :2] - path.position[0, :2])
    assert chord == pytest.approx(2 * radius * np.sin(0.25 * (seconds - 0.02)), abs=0.04), "an arc of a circle"


def test_a_motion_can_be_shown_on_a_urdf_too(tmp_path):
    urdf = tmp_path / "stick.urdf"
    inertial = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
    foot = '<collision><origin xyz="0 0 -0.5"/><geometry><sphere radius="0.1"/></geometry></collision>'
    urdf.write_text(
        f'<robot name="stick"><link name="base">{inertial}</link><link name="leg">{inertial}{foot}</link>'
        '<joint name="hip" type="revolute"><parent link="base"/><child link="leg"/><axis xyz="0 1 0"/>'
        '<limit lower="-1" upper="1" effort="1" velocity="1"/></joint></robot>'
    )
    model = RobotModel(urdf, ("hip",))
    assert model.limits.tolist() == [[-1.0, 1.0]]
    spec = AMPStateSpec(("hip",))
    states = np.zeros((5, spec.dim))
    states[:, 0], states[:, 3] = 0.6, -1.0
    contacts = model.ground_contacts(states, spec, 0.02)
    assert contacts.names == ["leg"] and contacts.points[:, 0, 2] == pytest.approx(0.0)


def test_motions_of_other_robots_are_refused_by_name(tmp_path):
    from amp_runner import MotionError

    with pytest.raises(MotionError, match=r"has no joint 'knee'; it has .*left_roll_joint"):
        RobotModel(OSTRICH, ("knee",))
    (tmp_path / "bad.xml").write_text("<mujoco><")
    with pytest.raises(MotionError, match="not a robot that MuJoCo can read"):
        RobotModel(tmp_path / "bad.xml", ("knee",))
