"""An export that runs on a robot: wrong descriptions are refused, bad signals have a defined answer."""

import json
import shutil

import numpy as np
import pytest

from amp_runner import ConfigError
from amp_runner.deploy import DeployedPolicy
from amp_runner.deploy.policy import SignalError
from tests.conftest import REPOSITORY

EXPORTED = REPOSITORY / "policies" / "exported"


@pytest.fixture
def signals():
    default = json.loads((EXPORTED / "policy.json").read_text())["joints"]["default_pos"]
    return {
        "base_ang_vel": np.zeros(3),
        "projected_gravity": np.array([0.0, 0.0, -1.0]),
        "command": np.array([0.5, 0.0, 0.0]),
        "joint_pos": np.array(default),
        "joint_vel": np.zeros(len(default)),
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v["actions"].update(offset=[0.3]), r"actions.offset has 1 numbers; expected 6"),
        (lambda v: v["actions"]["scale"].__setitem__(0, float("nan")), r"actions.scale is nan"),
        (lambda v: v["actions"]["scale"].__setitem__(0, 1e300), r"actions.scale is 1e\+300"),
        (lambda v: v["actions"]["joints"].__setitem__(0, v["actions"]["joints"][1]), "a joint is listed twice"),
        (lambda v: v["observations"][0].update(offset=[1.0]), "offset has 1 numbers; expected 3"),
        (lambda v: v["observations"][0].update(history=0), "history is 0; expected a whole number"),
        (lambda v: v.update(control_dt=-1), "control_dt is -1; expected a number"),
        (lambda v: v["joints"]["effort_limit"].__setitem__(0, -5.0), r"joints.effort_limit is -5.0"),
        (lambda v: v["robot"].update(model="../../robot.xml"), "expected the name of a file beside"),
        (lambda v: v["robot"]["feet"].update(offset=[0.0]), r"robot.feet.offset has 1 numbers; expected 3"),
        (lambda v: v["robot"].update(feet=3), "robot.feet is 3; expected body_names"),
        (lambda v: v.update(signals=0), "signals: expected a description"),
        (lambda v: v["observations"][0].update(signal=[1]), r"signal is \[1\]; expected one of base_ang_vel"),
        (lambda v: v["observations"][0].update(signal="temperature"), "signal is 'temperature'; expected one of"),
        (lambda v: v.update(command_ranges={"vx": [1]}), r"command_ranges.vx has 1 numbers; expected 2"),
    ],
)
def test_descriptions_that_would_move_the_robot_wrongly_are_refused(tmp_path, change, words):
    folder = tmp_path / "export"
    shutil.copytree(EXPORTED, folder)
    values = json.loads((folder / "policy.json").read_text())
    change(values)
    (folder / "policy.json").write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=words):
        DeployedPolicy(folder)


@pytest.mark.parametrize("bad", [np.full(6, np.nan), np.array([np.inf, 0, 0, 0, 0, 0])])
def test_a_bad_signal_holds_the_last_targets(signals, bad, caplog):
    policy, fresh = DeployedPolicy(EXPORTED), DeployedPolicy(EXPORTED)
    before = policy(signals)
    held = policy(signals | {"joint_vel": bad})
    np.testing.assert_array_equal(held, before)
    assert policy.held_steps == 1 and "holding the last joint targets" in caplog.text
    fresh(signals)
    np.testing.assert_array_equal(policy(signals), fresh(signals)), "histories do not contain the bad frame"


def test_without_targets_to_hold_a_bad_signal_is_an_error(signals):
    policy = DeployedPolicy(EXPORTED)
    with pytest.raises(SignalError, match="the signal 'command' is"):
        policy(signals | {"command": np.array([np.inf, 0.0, 0.0])})
    policy(signals)
    policy.reset()
    with pytest.raises(SignalError):
        policy(signals | {"command": np.array([np.inf, 0.0, 0.0])})


def test_signals_of_another_shape_are_always_an_error(signals):
    policy = DeployedPolicy(EXPORTED)
    policy(signals)
    with pytest.raises(ConfigError, match=r"'projected_gravity' has shape \(1,\); expected \(3,\)"):
        policy(signals | {"projected_gravity": np.array([-1.0])})
    with pytest.raises(ConfigError, match="is no array of numbers"):
        policy(signals | {"command": "fast"})
