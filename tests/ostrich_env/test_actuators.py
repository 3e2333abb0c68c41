"""Torques of the real joints' model, by hand."""

import pytest
import torch

pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

from isaaclab.utils.types import ArticulationActions

from ostrich_env.robot.actuators import DelayedBacklashPDActuator, DelayedBacklashPDActuatorCfg


def actuator(**kwargs):
    cfg = DelayedBacklashPDActuatorCfg(
        joint_names_expr=["a"], stiffness=10.0, damping=1.0, actuator_effort_limit=7.7, joint_effort_limit=7.7, **kwargs
    )
    model = DelayedBacklashPDActuator(cfg, joint_names=["a"], joint_ids=slice(None), num_envs=1, device="cpu")
    model.reset(None)
    return model


def torque(model, target, position=0.0, velocity=0.0):
    zero = torch.zeros(1, 1)
    action = ArticulationActions(torch.full((1, 1), target), zero.clone(), zero.clone())
    return model.compute(action, torch.full((1, 1), position), torch.full((1, 1), velocity)).joint_efforts.item()


@pytest.mark.parametrize(
    ("target", "expected"),
    [(0.01, 0.0), (-0.02, 0.0), (0.125, 10 * 0.1), (-0.125, -10 * 0.1), (5.0, 7.7)],
)
def test_errors_within_the_play_make_no_torque(target, expected):
    assert torque(actuator(backlash=0.05), target) == pytest.approx(expected, abs=1e-5)


def test_damping_acts_within_the_play():
    assert torque(actuator(backlash=0.05), 0.0, velocity=2.0) == pytest.approx(-2.0)


def test_commands_arrive_late():
    model = actuator(backlash=0.0, min_delay=2, max_delay=2)
    torques = [torque(model, target) for target in (0.1, 0.2, 0.3, 0.4, 0.5)]
    # Until the first command has arrived the buffer repeats it.
    assert torques[2:] == pytest.approx([1.0, 2.0, 3.0])
