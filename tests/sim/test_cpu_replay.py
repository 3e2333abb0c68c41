"""Recorded physics on a CPU."""

import pytest
import torch

from tests.sim.simulator import call

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")


def test_replayed_steps_are_the_same_to_the_last_bit(tmp_path):
    from tests.sim import replay_program

    states = {}
    for can_record, kind in (("yes", "['Graph']"), ("no", "['str']")):
        process = call(replay_program.main, "Isaac-Velocity-Flat-Ostrich-v0", can_record, cwd=tmp_path)
        assert process.returncode == 0, process.stderr[-3000:]
        assert f"RESULT {kind}" in process.stdout
        states[can_record] = torch.load(tmp_path / "states.pt", weights_only=True)
    assert torch.equal(states["yes"], states["no"])


def test_isaac_lab_still_has_what_is_exchanged():
    from isaaclab_newton.physics.newton_manager import NewtonManager

    from amp_runner.isaaclab.cpu_replay import EXCHANGED_NAMES

    assert all(isinstance(vars(NewtonManager)[name], classmethod) for name in EXCHANGED_NAMES)
