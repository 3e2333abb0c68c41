"""Robots as people have them: URDF with any root, meshes that are elsewhere or cannot be read."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from amp_runner import MotionError
from amp_runner.motions.robot_model import RobotModel

INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
JOINT = (
    '<joint name="{n}_hip_joint" type="revolute"><parent link="base"/><child link="{n}_leg"/><origin xyz="0 {y} 0"/>'
    '<axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="9" velocity="9"/></joint>'
)
NAMES = ("left_hip_joint", "right_hip_joint")


def two_legs(geometry='<sphere radius="0.05"/>', inertial=INERTIAL):
    foot = f'<collision><origin xyz="0 0 -0.45"/><geometry>{geometry}</geometry></collision>'
    links = "".join(f'<link name="{side}_leg">{inertial}{foot}</link>' for side in ("left", "right"))
    joints = JOINT.format(n="left", y=0.1) + JOINT.format(n="right", y=-0.1)
    return f'<robot name="two"><link name="base">{inertial}</link>{links}{joints}</robot>'


def heights_of_feet(robot, height):
    return robot.contacts_on_path(
        np.tile([0.0, 0.0, height], (3, 1)), Rotation.from_euler("z", np.full((3, 1), 0.3)), np.zeros((3, 2)), 0.02
    )


@pytest.mark.parametrize("inertial", [INERTIAL, ""])
def test_a_urdf_with_branches_at_its_root_floats(tmp_path, inertial):
    (tmp_path / "robot.urdf").write_text(two_legs(inertial=inertial))
    robot = RobotModel(tmp_path / "robot.urdf", NAMES)
    contacts = heights_of_feet(robot, 0.501)
    assert contacts.names == ["left_leg", "right_leg"]
    np.testing.assert_allclose(contacts.points[..., 2], 0.001, atol=1e-9)
    np.testing.assert_allclose(contacts.velocity, 0.0, atol=1e-9)


def test_meshes_are_found_by_package_and_others_are_left_out(tmp_path):
    meshes = tmp_path / "two_description" / "meshes"
    meshes.mkdir(parents=True)
    (tmp_path / "two_description" / "urdf").mkdir()
    import trimesh

    trimesh.creation.box((0.1, 0.1, 0.1)).export(meshes / "foot.stl")
    text = two_legs('<mesh filename="package://two_description/meshes/foot.stl"/>')
    text = text.replace("meshes/foot.stl", "meshes/foot.dae", 1)
    urdf = tmp_path / "two_description" / "urdf" / "robot.urdf"
    urdf.write_text(text)
    robot = RobotModel(urdf, NAMES)
    assert robot.missing_meshes == ["package://two_description/meshes/foot.dae"]
    assert heights_of_feet(robot, 0.5).names == ["right_leg"], "a box of 0.1 m around a point 0.45 m below"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"<robot><", "not a robot"), (b"\xff\xfe\x00", "not a robot"), (b"<mujoco/>", "has no joint 'left_hip_joint'")],
)
def test_other_files_are_refused(tmp_path, content, words):
    (tmp_path / "a.urdf").write_bytes(content)
    with pytest.raises(MotionError, match=words):
        RobotModel(tmp_path / "a.urdf", NAMES)


def test_a_fixed_base_floats_too(tmp_path):
    (tmp_path / "a.xml").write_text(
        '<mujoco><worldbody><body name="base"><geom size=".1"/><body name="leg"><joint name="hip" axis="0 1 0"/>'
        '<geom pos="0 0 -.4" size=".1"/></body></body></worldbody><keyframe><key qpos="0"/></keyframe></mujoco>'
    )
    robot = RobotModel(tmp_path / "a.xml", ("hip",))
    robot.pose(np.array([1.0, 2.0, 3.0]), Rotation.identity(), np.zeros(1))
    np.testing.assert_allclose(robot.data.xpos[robot.root], [1, 2, 3])
