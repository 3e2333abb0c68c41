"""Exported policies: what goes into the network, what comes out, and plain MuJoCo around it."""

import json
import shutil
from dataclasses import asdict

import mujoco
import numpy as np
import pytest
import torch

from amp_runner import AMPStateSpec, ConfigError
from amp_runner.deploy import DeployedPolicy, PolicyDescription
from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.deploy.policy_description import Actions, Joints, Observation, Robot
from amp_runner.evaluation.mujoco_rollout import record_mujoco_gait
from amp_runner.evaluation.trial import make_trial
from tests.conftest import REPOSITORY

EXPORTED = REPOSITORY / "policies" / "exported"


class Doubles(torch.nn.Module):
    """Twice the sum of all inputs, and the first input."""

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.cat([2 * obs.sum(dim=-1, keepdim=True), obs[:, :1]], dim=-1)


def small_description(**changes):
    values = {
        "task": "toy", "control_dt": 0.02, "physics_dt": 0.005,
        "observations": [
            Observation("policy.gyro", "base_ang_vel", "f", 3, [0.0] * 3, [0.5] * 3, clip=[-1.0, 1.0], history=2),
            Observation("policy.knee", "joint_pos", "g", 1, [0.25], [2.0], joints=["knee"]),
            Observation("policy.action", "last_action", "h", 2, [0.0] * 2, [1.0] * 2),
        ],
        "actions": Actions(["hip", "knee"], [0.1, -0.2], [0.5, 1.0], clip=3.0),
        "joints": Joints(["knee", "hip"], [0.0] * 2, [1.0] * 2, [1.0] * 2, [1.0] * 2, [0.0] * 2, [0.0] * 2),
        "robot": Robot(None, 0.3, None, None), "command_ranges": {}, "checkpoint": {}, "motions": {}, "versions": {},
    }  # fmt: skip
    return PolicyDescription(**values | changes)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "policy.onnx"
    torch.onnx.export(
        Doubles().eval(), (torch.zeros(1, 9),), str(path), input_names=["obs"], output_names=["actions"],
        dynamo=True, external_data=False, verbose=False,
    )  # fmt: skip
    return path


@pytest.fixture
def folder(tmp_path, network):
    small_description().save(tmp_path)
    shutil.copy(network, tmp_path)
    return tmp_path


def test_observations_and_targets_are_the_hand_computed_ones(folder):
    policy = DeployedPolicy(folder)
    signals = {"base_ang_vel": np.array([0.4, 5.0, -0.2]), "joint_pos": np.array([0.75, 9.0])}
    first = policy.observe(signals)
    # Clipped to 1, times 0.5; the first frame twice; (0.75 - 0.25) * 2; no action yet.
    np.testing.assert_allclose(first[0], [0.2, 0.5, -0.1, 0.2, 0.5, -0.1, 1.0, 0.0, 0.0], rtol=1e-6)
    policy.reset()
    targets = policy(signals)
    # 2 * 2.2 is limited to 3; then offset and scale.
    np.testing.assert_allclose(targets, [0.1 + 0.5 * 3.0, -0.2 + 0.2], rtol=1e-6, atol=1e-7)
    second = policy.observe(signals | {"base_ang_vel": np.zeros(3)})
    np.testing.assert_allclose(second[0], [0.2, 0.5, -0.1, 0.0, 0.0, 0.0, 1.0, 3.0, 0.2], rtol=1e-6, atol=1e-7)


def test_a_description_survives_its_file(tmp_path):
    before = small_description()
    before.save(tmp_path)
    assert asdict(PolicyDescription.load(tmp_path)) == asdict(before)


UNMEASURED = Observation("x", None, "f", 9, [0.0] * 9, [1.0] * 9)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda f: (f / "policy.json").unlink(), "expected a folder that amp-export made"),
        (lambda f: (f / "policy.onnx").unlink(), "policy.onnx: no such file"),
        (lambda f: (f / "policy.json").write_text("{"), "not an exported policy's description"),
        (lambda f: (f / "policy.json").write_text('{"format_version": 9}'), "export again"),
        (lambda f: (f / "policy.json").write_text('{"format_version": 1}'), "damaged"),
        (lambda f: (f / "policy.onnx").write_bytes(b"nonsense"), "not a network"),
        (lambda f: small_description(observations=small_description().observations[:1]).save(f), "not of one export"),
        (
            lambda f: small_description(observations=[Observation("x", None, "f", 9, [0.0] * 9, [1.0] * 9)]).save(f),
            "observes x",
        ),
    ],
)
def test_broken_exports_get_a_line_that_helps(folder, break_it, words):
    break_it(folder)
    with pytest.raises(ConfigError, match=words):
        DeployedPolicy(folder)


def test_a_missing_signal_is_named(folder):
    with pytest.raises(ConfigError, match="'joint_pos' is missing"):
        DeployedPolicy(folder)({"base_ang_vel": np.zeros(3)})


def test_an_export_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="holds no MJCF file"):
        small_description().model_path(tmp_path)


@pytest.fixture(scope="module")
def shipped():
    policy = DeployedPolicy(EXPORTED)
    return policy, MujocoRobot(policy.description, policy.description.model_path(EXPORTED))


def test_controllers_in_mujoco_are_the_descriptions(shipped):
    _, robot = shipped
    joints = robot.description.joints
    robot.reset()
    robot.data.qpos[7:] = np.array(joints.default_pos) + 0.1
    robot.data.qvel[6:] = 0.2
    expected = -0.1 * np.array(joints.stiffness) - 0.2 * np.array(joints.damping)
    mujoco.mj_forward(robot.model, robot.data)
    np.testing.assert_allclose(robot.data.actuator_force, expected, rtol=1e-9)


def test_the_shipped_policy_walks_in_plain_mujoco(shipped):
    policy, robot = shipped
    grid = np.array([[0.5, 0.0, 0.0], [0.0, 0.3, 0.0]])
    spec = AMPStateSpec(tuple(policy.description.joints.names))
    recording = record_mujoco_gait(policy, robot, make_trial(4, grid, 6.0), spec)
    assert not recording.falls.any()
    columns = AMPStateSpec(recording.spec.joint_names).features["root_lin_vel"]
    velocity = recording.states[100:, :2, columns].mean(axis=0)
    np.testing.assert_allclose(velocity[:, :2], grid[:, :2], atol=0.1)
    assert recording.states.shape == (300, 4, 22) and recording.foot_contact.any(axis=(0, 1)).all()
    np.testing.assert_array_equal(recording.commands, np.concatenate([grid, grid]))


def test_a_push_moves_it_and_a_fall_is_noticed(shipped):
    policy, robot = shipped
    policy.reset()
    robot.reset()
    robot.data.qpos[3:7] = [np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)]  # it faces the world's y axis
    robot.push(np.array([0.3, 0.0]))
    assert robot.velocity[0] == pytest.approx(0.3)
    robot.data.qpos[2] = 0.05
    assert robot.fallen


def test_another_robot_is_refused(shipped, tmp_path):
    policy, _ = shipped
    (tmp_path / "other.xml").write_text(
        "<mujoco><worldbody><body><freejoint/><geom size='0.1'/></body></worldbody></mujoco>"
    )
    with pytest.raises(ConfigError, match="no actuator on left_roll_joint"):
        MujocoRobot(policy.description, tmp_path / "other.xml")


def test_the_shipped_description_says_what_a_robot_needs():
    values = json.loads((EXPORTED / "policy.json").read_text())
    assert values["control_dt"] == pytest.approx(0.02)
    assert [entry["signal"] for entry in values["observations"]] == [
        "base_ang_vel", "projected_gravity", "command", "joint_pos", "joint_vel", "last_action",
    ]  # fmt: skip
    assert values["joints"]["stiffness"] == [15.0] * 6 and values["actions"]["scale"] == [0.5] * 6
    assert values["motions"], "which motions it was trained on"
