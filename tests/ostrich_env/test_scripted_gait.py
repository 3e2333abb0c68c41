"""The controller that walks without training, on the robot's MuJoCo twin."""

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ostrich_env.gait.scripted import Gains, Walker
from ostrich_env.gait.walk import stride
from ostrich_env.robot.kinematics import foot_jacobians, foot_positions, joint_positions
from tests.conftest import ASSETS

DT, SUBSTEPS = 0.02, 4


def test_jacobians_are_the_derivatives_of_the_foot_positions():
    joints = np.random.default_rng(0).uniform([-0.4, 0.0, -1.5] * 2, [0.4, 1.0, -0.3] * 2, size=(5, 6))
    found = foot_jacobians(joints)
    for joint in range(6):
        step = 1e-6 * np.eye(6)[joint]
        moved = (foot_positions(joints + step) - foot_positions(joints - step)) / 2e-6
        leg, column = divmod(joint, 3)
        np.testing.assert_allclose(found[:, leg, :, column], moved[:, leg], atol=1e-8)
        assert np.abs(moved[:, 1 - leg]).max() < 1e-9


def test_a_stride_hands_the_weight_from_foot_to_foot():
    walk = stride(np.array([0.5, 0.0, 0.0]))
    np.testing.assert_allclose(walk.load.sum(axis=1), 1.0)
    assert (walk.load[walk.swing > 0] == 0).all(), "a foot in the air carries nothing"
    assert walk.velocity[:, 0].mean() == pytest.approx(0.5, abs=0.01)
    half = len(walk.height) // 2
    mirrored = np.roll(walk.feet, half, axis=0)[:, ::-1] * [1, -1, 1]
    np.testing.assert_allclose(walk.feet, mirrored, atol=2e-3)


def walk_in_mujoco(command, seconds, gains=None):
    """Base velocity in the heading frame at each control step, (T, 3) [m/s]; shorter if the robot falls."""
    model = mujoco.MjModel.from_xml_path(str(ASSETS / "ostrich.xml"))
    data, walker, command = mujoco.MjData(model), Walker(gains or Gains(), phase=0.0), np.array(command)
    begin = stride(command)
    data.qpos[2], data.qpos[7:] = begin.height[0], joint_positions(begin.feet[0])
    data.qvel[:2] = begin.velocity[0]
    velocities = []
    while len(velocities) * DT < seconds and data.qpos[2] > 0.13:
        rotation = Rotation.from_quat(data.qpos[3:7], scalar_first=True)
        yaw = rotation.as_euler("ZYX")[0]
        velocity = Rotation.from_euler("z", -yaw).apply(data.qvel[:3])
        gravity = rotation.inv().apply([0.0, 0.0, -1.0])
        data.ctrl[:] = walker.step(command, data.qpos[2:3], gravity, data.qpos[7:].copy(), velocity, DT)
        mujoco.mj_step(model, data, nstep=SUBSTEPS)
        velocities.append(velocity)
    return np.array(velocities)


@pytest.mark.parametrize("command", [(0.5, 0.0, 0.0), (-0.3, 0.0, 0.0), (0.0, 0.25, 0.0)])
def test_it_walks(command):
    velocities = walk_in_mujoco(command, seconds=6.0)
    assert len(velocities) * DT >= 6.0, "it fell"
    np.testing.assert_allclose(velocities[100:, :2].mean(axis=0), command[:2], atol=0.12)


def test_without_feedback_it_falls():
    assert len(walk_in_mujoco((0.5, 0.0, 0.0), 6.0, Gains((0.0, 0.0), 0.0, (0.0, 0.0), 0.0))) * DT < 3.0
