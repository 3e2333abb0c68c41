"""Reference-state initialisation in the real simulator."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from amp_runner import AMPStateSpec, load_motion
from tests.conftest import REPOSITORY
from tests.sim.test_training import MOTION, environment

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")


def test_episodes_start_in_states_of_the_clips_with_their_commands(tmp_path):
    program = str(REPOSITORY / "tests" / "sim" / "reset_program.py")
    process = subprocess.run(
        [sys.executable, program, MOTION],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=1200,
    )  # fmt: skip
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


@pytest.mark.parametrize("frame", ["heading", "world"])
def test_only_in_the_world_frame_a_robot_faces_where_its_clip_did(frame):
    """Otherwise its velocity, which keeps the world's axes, would be that of a robot which moves sideways."""
    from amp_runner.isaaclab import _orientations

    spec = AMPStateSpec(("joint",), "quaternion", frame)
    facing_y = torch.tensor([0.0, 0.0, 0.5**0.5, 0.5**0.5]).repeat(50, 1)
    part = {"root_height": torch.ones(50, 1), "root_quat_xyzw": facing_y}
    quat, velocity_frame = _orientations(part, spec)
    if frame == "world":
        assert torch.equal(quat, facing_y)
        assert torch.equal(velocity_frame, torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(50, 1))
    else:
        assert quat[:, 2].std() > 0.3, "facing anywhere"
        torch.testing.assert_close((quat * velocity_frame).sum(dim=1).abs(), torch.ones(50))
