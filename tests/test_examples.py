"""The examples, as they stand."""

import numpy as np
import pytest

from amp_runner import AMPCfg
from examples import from_amp_rsl_rl, plain_vec_env


@pytest.mark.slow
def test_points_learn_to_sway_like_their_reference():
    """A whole training on the CPU: does AMP learn?"""
    result = plain_vec_env.main([])
    assert result["before"] < 0.6 * result["reference"]
    assert result["after"] == pytest.approx(result["reference"], rel=0.25)


def test_amp_rsl_rls_motion_gives_nearly_its_own_states(tmp_path):
    """They differ by smoothing, and by half a frame in the velocities."""
    differences = from_amp_rsl_rl.main(["--out", str(tmp_path)])
    assert set(differences) == set(from_amp_rsl_rl.LAYOUT)
    assert differences["joint_pos"] < 0.01
    assert differences["joint_vel"] < 1.2, "of a spread of 3.1: half a frame of a fast swing"
    assert differences["root_lin_vel"] < 0.05 and differences["root_ang_vel"] < 0.15


def test_amp_rsl_rls_configuration_keeps_its_ratio_of_style_to_task():
    theirs = from_amp_rsl_rl.THEIR_CONFIGURATION | {"style_weight": 0.25}
    algorithm = from_amp_rsl_rl.translate(theirs, step_dt=0.02)["algorithm"]
    cfg = AMPCfg.from_dict(algorithm["amp_cfg"])
    # A step earns 0.75 task + 0.25 style there, and task + style_weight * 0.02 style here.
    assert cfg.style_weight * 0.02 == pytest.approx(0.25 / 0.75)
    assert algorithm["gamma"] == 0.99 and "amp_replay_buffer_size" not in algorithm


def test_their_states_are_forward_differences():
    motion = from_amp_rsl_rl.Trajectory(
        path="made up", root_pos=np.array([[0.0, 0.0, 1.0], [0.0, 0.1, 1.0]]), dt=0.1, joint_names=("knee",), note="",
        root_quat=np.array([[0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]] * 2), joint_pos=np.array([[0.2], [0.5]]),
    )  # fmt: skip
    expected = [[0.2, 3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]  # it faces y, and so walks forward at 1 m/s
    np.testing.assert_allclose(from_amp_rsl_rl.their_states(motion), expected, atol=1e-12)
