"""Mirroring from the robot's geometry: partners and signs."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from amp_runner import AMPStateSpec, ConfigError, Mirror
from amp_runner.motions.robot_mirror import mirror_of_model
from amp_runner.motions.robot_model import RobotModel
from ostrich_env.gait.walk import ostrich_spec
from tests.conftest import ASSETS

LEG = (
    '<body name="{n}_hip" pos="{x} {y} 0"><joint name="{n}_hip_joint" axis="1 0 0"/><geom size=".02"/>'
    '<body name="{n}_thigh" pos="0 {w} 0"><joint name="{n}_thigh_joint" axis="0 {a} 0"/><geom size=".02"/>'
    '<body name="{n}_foot" pos="0 0 -.2"><geom size=".02"/></body></body></body>'
)
JOINTS = tuple(f"{leg}_{joint}_joint" for leg in ("FR", "FL", "RR", "RL") for joint in ("hip", "thigh"))


def quadruped(path, axis_of_right_thighs=1):
    """Unitree's names: hip_joint is abduction, and no name says left or right."""
    legs = "".join(
        LEG.format(n=name, x=x, y=y, w=np.sign(y) * 0.08, a=axis_of_right_thighs if y < 0 else 1)
        for name, x, y in (("FR", 0.2, -0.05), ("FL", 0.2, 0.05), ("RR", -0.2, -0.05), ("RL", -0.2, 0.05))
    )
    path.write_text(f'<mujoco><worldbody><body name="trunk"><freejoint/><geom size=".1"/>{legs}</body></worldbody></mujoco>')
    return RobotModel(path, JOINTS)


def test_the_ostrich_needs_no_names():
    spec = ostrich_spec()
    found = mirror_of_model(spec, RobotModel(ASSETS / "ostrich.xml", spec.joint_names))
    assert found == spec.mirror(".*_roll_joint")


@pytest.mark.parametrize("axis", [1, -1])
def test_legs_of_a_quadruped_change_places_and_abduction_its_sign(tmp_path, axis):
    robot = quadruped(tmp_path / "dog.xml", axis)
    permutation, signs = mirror_of_model(AMPStateSpec(JOINTS, layout=("joint_pos",)), robot)
    assert permutation == [2, 3, 0, 1, 6, 7, 4, 5], "front right with front left, rear right with rear left"
    assert signs == [-1.0, float(axis)] * 4, "a thigh that turns the other way around changes its sign too"


def test_the_mirrored_state_is_the_state_of_the_mirrored_pose(tmp_path):
    """Positions of the feet, by the model, at the mirrored joint angles, are the mirror image."""
    robot = quadruped(tmp_path / "dog.xml", -1)
    feet = tuple(f"{leg}_foot" for leg in ("FR", "FL", "RR", "RL"))
    spec = AMPStateSpec(JOINTS, layout=("joint_pos", "key_body_pos"), key_bodies=feet)

    def state(joint_pos):
        robot.pose(np.zeros(3), Rotation.identity(), joint_pos)
        return torch.from_numpy(np.concatenate([joint_pos, robot.data.xpos[robot.body_ids(feet)].ravel()]))

    here = state(np.random.default_rng(0).uniform(-1, 1, len(JOINTS)))
    mirrored = Mirror(*mirror_of_model(spec, robot))(here.float())
    torch.testing.assert_close(mirrored, state(mirrored[: len(JOINTS)].double().numpy()).float())


def test_a_robot_without_symmetry_is_refused(tmp_path):
    robot = quadruped(tmp_path / "dog.xml")
    robot.joints[0] = robot.joints[3]  # as if a leg had another joint
    with pytest.raises(ConfigError, match=r"mirror|left-right pairs"):
        mirror_of_model(AMPStateSpec(JOINTS), robot)
