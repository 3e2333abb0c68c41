import argparse
from types import SimpleNamespace

import pytest
import torch

from amp_runner import ConfigError
from amp_runner.cli.controllers import check_controller
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
        scene={"robot": robot},
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"controller": "policy"}, "needs --checkpoint"),
        ({"controller": "gate"}, "expected policy, gait or MODULE:FUNCTION"),
        ({"controller": "gait"}, "no scripted gait"),
    ],
)
def test_controllers_are_checked_before_the_simulator_starts(arguments, words):
    args = argparse.Namespace(**({"checkpoint": None} | arguments))
    with pytest.raises(ConfigError, match=words):
        check_controller(args, SimpleNamespace())
