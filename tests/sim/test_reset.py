"""Reference-state initialisation in the real simulator."""

import json

import numpy as np
import pytest

from amp_runner import load_motion
from tests.sim import reset_program
from tests.sim.simulator import call
from tests.sim.test_training import MOTION

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")


def test_episodes_start_in_states_of_the_clips_with_their_commands(tmp_path):
    process = call(reset_program.main, MOTION, cwd=tmp_path)
    assert process.returncode == 0, process.stderr[-3000:]
    (line,) = (line for line in process.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    motion = load_motion(MOTION)
    distance = np.abs(motion.states[None] - np.array(result["states"])[:, None]).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-5, "height, tilt, velocities and joints are those of one frame"
    np.testing.assert_allclose(result["commands"], motion.commands[distance.argmin(axis=1)], atol=1e-6)
    assert max(result["velocity_minus_command"]) < 0.08, "the command is near the velocity"
    assert result["standing"] == 0, "nobody is told to stand while walking"
    assert result["lowest_foot"] > -1e-4, "no foot in the ground"
    assert result["heading_spread"] > 1.0, "the yaw is free"
    pushed = np.zeros((len(result["pushed"]), 3))
    pushed[3] = [0.4, -0.2, 0.0]
    np.testing.assert_allclose(result["pushed"], pushed, atol=1e-5, err_msg="a push is in the heading frame, of one robot")
