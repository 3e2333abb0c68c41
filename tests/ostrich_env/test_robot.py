"""The robot's files are what its description says, and agree with each other."""

import re

import mujoco
import numpy as np
import pytest

from ostrich_env.robot import description as robot
from ostrich_env.robot import kinematics
from tests.conftest import ASSETS

pxr = pytest.importorskip("pxr", reason="USD comes with the 'sim' extra")

from scripts import build_robot  # noqa: E402


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_path(str(ASSETS / "ostrich.xml"))


@pytest.fixture(scope="module")
def stage():
    from pxr import Usd

    return Usd.Stage.Open(str(ASSETS / "ostrich.usda"))


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def words_and_numbers(path):
    text = path.read_text()
    return NUMBER.split(text), [float(number) for number in NUMBER.findall(text)]


def test_the_committed_files_are_the_scripts_output(tmp_path):
    """As numbers: on another processor, the last digit of a cosine may differ."""
    build_robot.write_all(tmp_path)
    for name in ("ostrich.usda", "ground.usda", "ostrich.xml"):
        (words, numbers), (expected_words, expected) = words_and_numbers(tmp_path / name), words_and_numbers(ASSETS / name)
        assert words == expected_words, f"{name}: run scripts/build_robot.py"
        np.testing.assert_allclose(numbers, expected, rtol=0, atol=2e-6, err_msg=name)


def test_usd_and_mjcf_agree_in_mass_and_inertia(model, stage):
    for link in robot.LINKS:
        prim = stage.GetPrimAtPath(f"/ostrich/{link.name}")
        body = model.body(link.name)
        usd = {name: prim.GetAttribute(f"physics:{name}").Get() for name in ("mass", "centerOfMass", "diagonalInertia")}
        assert usd["mass"] == pytest.approx(body.mass[0], rel=1e-6)
        np.testing.assert_allclose(usd["centerOfMass"], body.ipos, atol=1e-7)
        np.testing.assert_allclose(usd["diagonalInertia"], body.inertia, rtol=1e-5)
        np.testing.assert_allclose(np.abs(body.iquat), [1, 0, 0, 0], atol=1e-9)  # axes parallel to the link in both


def test_usd_and_mjcf_agree_in_joints(model, stage):
    for link in robot.LINKS:
        if link.joint is None:
            continue
        prim = stage.GetPrimAtPath(f"/ostrich/joints/{link.joint}")
        joint = model.joint(link.joint)
        axis = {"X": [1, 0, 0], "Y": [0, 1, 0]}[prim.GetAttribute("physics:axis").Get()]
        np.testing.assert_array_equal(joint.axis, axis)
        np.testing.assert_allclose(prim.GetAttribute("physics:localPos0").Get(), model.body(link.name).pos, atol=1e-7)
        limits = [np.radians(prim.GetAttribute(f"physics:{side}Limit").Get()) for side in ("lower", "upper")]
        np.testing.assert_allclose(limits, joint.range, atol=1e-6)


def test_the_facts_of_the_robot(model):
    assert [model.joint(i).name for i in range(1, model.njnt)] == list(robot.JOINT_NAMES)
    assert model.body_mass.sum() == pytest.approx(2.7)
    assert 0.23 <= robot.STANDING_HEIGHT <= 0.24
    np.testing.assert_allclose(model.dof_armature[6:], 0.0017)
    np.testing.assert_allclose(model.dof_frictionloss[6:], 0.09)
    np.testing.assert_allclose(model.actuator_forcerange, [[-7.7, 7.7]] * 6)


def test_inertias_are_possible(model):
    for a, b, c in model.body_inertia[1:]:
        assert a + b >= c and b + c >= a and a + c >= b


def test_kinematics_agree_with_mujoco(model):
    data = mujoco.MjData(model)
    rng = np.random.default_rng(0)
    limits = robot.joint_limits()
    for _ in range(20):
        joints = rng.uniform(limits[:, 0], limits[:, 1])
        data.qpos[:7] = [0, 0, 1, 1, 0, 0, 0]
        data.qpos[7:] = joints
        mujoco.mj_forward(model, data)
        for foot, name in zip(kinematics.foot_positions(joints), robot.FOOT_LINKS):
            body = data.body(name)
            expected = body.xpos + body.xmat.reshape(3, 3) @ [0, 0, -robot.LOWER_LEG_LENGTH] - [0, 0, 1]
            np.testing.assert_allclose(foot, expected, atol=1e-12)


def test_inverse_kinematics_inverts_and_bends_like_a_bird():
    rng = np.random.default_rng(0)
    limits = robot.joint_limits()
    joints = rng.uniform(limits[:, 0], limits[:, 1], size=(300, 6))
    feet = kinematics.foot_positions(joints)
    below = (feet[..., 2] < 0).all(axis=1)  # a foot above the hip could be reached with the roll turned over
    np.testing.assert_allclose(kinematics.joint_positions(feet[below]), joints[below], atol=1e-9)
    assert below.sum() > 250
    with pytest.raises(ValueError, match="out of reach"):
        kinematics.joint_positions(np.array([[0.0, 0.075, -0.3], [0.0, -0.075, -0.2]]))
