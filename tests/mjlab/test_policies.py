"""The shipped policies of mjlab's robots walk as their shipped measures say."""

import json

import numpy as np
import pytest

from amp_runner import load_motion
from amp_runner.cli import record
from amp_runner.evaluation.gait_metrics import stride_metrics
from amp_runner.evaluation.legs import hip_joint
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(("robot", "speed"), [("go1", 0.8), ("g1", 0.7)])
def test_a_shipped_policy_walks_at_its_command_with_its_stride(robot, speed, tmp_path):
    task = f"Mjlab-Velocity-Flat-Unitree-{robot.capitalize()}"
    policy = str(REPOSITORY / "policies" / f"unitree_{robot}.pt")
    arguments = ["--config", str(REPOSITORY / "configs" / f"{robot}.yaml"), "--checkpoint", policy, "--num_envs", "4"]
    arguments += ["--steps", "200", "--command", str(speed), "0", "0", "--skip", "1.5", "--device", "cpu"]
    out = tmp_path / "gait.npz"
    assert record.main(["--task", task, *arguments, "--out", str(out)]) == 0
    gait = load_motion(out)
    assert len(gait.clips()) == 4 and len(gait.states) == 4 * 125, "nobody fell"
    columns, measured = gait.spec.features, json.loads((REPOSITORY / "policies" / f"unitree_{robot}.eval.json").read_text())
    assert gait.states[:, columns["root_lin_vel"].start].mean() == pytest.approx(speed, abs=0.15)
    hip = hip_joint(gait.spec.joint_names)
    strides = [stride_metrics(clip[:, None, columns["joint_pos"]], gait.dt, hip)[0][0] for clip in gait.clips()]
    assert np.median(strides) == pytest.approx(measured["stride_frequency_hz"], rel=0.2)
