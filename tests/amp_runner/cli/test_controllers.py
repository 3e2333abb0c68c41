import argparse
import math
from types import SimpleNamespace

import pytest
import torch

from amp_runner import ConfigError
from amp_runner.cli.controllers import Sinusoids, check_controller, parse_sine
from amp_runner.isaaclab.joint_action import JointTargetMapping


class JointPositionActionTerm:
    """Isaac Lab's term: target = offset + scale * action."""

    cfg = SimpleNamespace(asset_name="robot", joint_names=["hip", "knee"], preserve_order=True)

    def __init__(self):
        self.raw_actions = self.processed_actions = torch.tensor([[0.3, 0.4]])

    def process_actions(self, actions):
        self.raw_actions = actions
        self.processed_actions = torch.tensor([[0.1, -0.9]]) + torch.tensor([[0.5, 0.25]]) * actions


def environment(term):
    robot = SimpleNamespace(find_joints=lambda names, preserve_order: ([0, 1], names))
    unwrapped = SimpleNamespace(
        action_manager=SimpleNamespace(active_terms=["joints"], get_term=lambda _: term),
        scene={"robot": robot}, episode_length_buf=torch.tensor([0, 5]), step_dt=0.02,
    )  # fmt: skip
    return SimpleNamespace(unwrapped=unwrapped, device="cpu")


@pytest.fixture
def env():
    term = type("JointPositionAction", (JointPositionActionTerm,), {})()
    return environment(term)


def test_the_meaning_of_actions_is_read_off_the_term_and_leaves_no_trace(env):
    action = JointTargetMapping.from_env(env)
    assert action.joint_names == ("hip", "knee")
    torch.testing.assert_close(action.offset, torch.tensor([0.1, -0.9]))
    torch.testing.assert_close(action.scale, torch.tensor([0.5, 0.25]))
    torch.testing.assert_close(action.actions(torch.tensor([[0.6, -0.4]])), torch.tensor([[1.0, 2.0]]))
    torch.testing.assert_close(env.unwrapped.action_manager.get_term("joints").raw_actions, torch.tensor([[0.3, 0.4]]))


def test_other_actions_are_refused():
    term = type("JointEffortAction", (JointPositionActionTerm,), {})()
    with pytest.raises(ConfigError, match="JointEffortAction"):
        JointTargetMapping.from_env(environment(term))


def test_sinusoids_swing_about_the_default_and_the_rest_holds_still(env):
    actions = Sinusoids(env, [parse_sine(["hip", "0.2", "2.0", "0.25", "0.1"])])(None)
    time = torch.tensor([0.0, 0.1])
    target = 0.1 + 0.1 + 0.2 * torch.sin(2 * math.pi * (2.0 * time + 0.25))
    torch.testing.assert_close(actions[:, 0], (target - 0.1) / 0.5)
    assert (actions[:, 1] == 0).all()
    with pytest.raises(ConfigError, match="the robot has hip, knee"):
        Sinusoids(env, [parse_sine(["ankle", "0.2", "2.0"])])


@pytest.mark.parametrize(
    "values", [["hip"], ["hip", "0.2"], ["hip", "a", "2"], ["hip", "0.2", "nan"], ["(", "1", "1"], list("h12345")]
)
def test_malformed_sines_are_refused(values):
    with pytest.raises(ConfigError, match="expected JOINT AMPLITUDE FREQUENCY"):
        parse_sine(values)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"controller": "policy"}, "needs --checkpoint"),
        ({"controller": "gate"}, "expected policy, gait, sine or MODULE:FUNCTION"),
        ({"controller": "gait"}, "no scripted gait"),
        ({"controller": "sine"}, "needs --sine"),
        ({"controller": "a:b", "sine": [["hip", "1", "1"]]}, "--sine needs --controller sine"),
    ],
)
def test_controllers_are_checked_before_the_simulator_starts(arguments, words):
    args = argparse.Namespace(**({"checkpoint": None, "sine": []} | arguments))
    with pytest.raises(ConfigError, match=words):
        check_controller(args, SimpleNamespace())
