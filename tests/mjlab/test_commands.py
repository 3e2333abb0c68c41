"""The commands on mjlab's own tasks, as a user types them."""

import json

import mujoco
import numpy as np
import pytest
import torch

from amp_runner import load_motion
from amp_runner.cli import eval as amp_eval
from amp_runner.cli import export, play, record, train
from amp_runner.deploy import DeployedPolicy
from amp_runner.deploy.mujoco_robot import MujocoRobot
from tests.mjlab.conftest import SPEC, TASK

SMALL = ("--num_envs", "4", "agent.num_steps_per_env=12", "agent.save_interval=1", "--device", "cpu")


@pytest.fixture(scope="module")
def run(clip, tmp_path_factory):
    """The folder of a training of two iterations, and what it printed."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        arguments = ["--task", TASK, "--motion", clip, *SMALL, "--max_iterations", "2", "--run_name", "first"]
        assert train.main([*arguments, "env.rewards.air_time=null", "env.commands.twist.ranges.lin_vel_x=[0.0,1.0]"]) == 0
    (run,) = (folder / "logs" / "rsl_rl" / "go1_velocity").iterdir()
    return run


def test_a_run_has_checkpoints_an_export_and_curves(run):
    names = {path.name for path in run.iterdir()}
    assert {"model_0.pt", "model_1.pt", "params", f"{run.name}.onnx"} <= names and run.name.endswith("_first")
    state = torch.load(run / "model_1.pt", weights_only=True)
    assert state["infos"]["env_state"] == {"common_step_counter": 24} and state["amp"]["spec"] == SPEC.to_dict()
    written = (run / "params" / "env.yaml").read_text()
    assert "  air_time:\n" not in written and "reset_to_reference" in written
    assert any(name.startswith("events.out.tfevents") for name in names)


def test_the_gait_is_drawn_for_tensorboard(clip, monkeypatch, tmp_path):
    """At the end of the training, since the picture of an iteration is drawn while the next ones run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.chdir(tmp_path)
    small = ["--num_envs", "4", "agent.num_steps_per_env=60", "--device", "cpu", "agent.algorithm.num_learning_epochs=1"]
    # Episodes do not end before there is enough to draw.
    kept = ["env.terminations.fell_over=null", "--max_iterations", "2", "--snapshot_interval", "2"]
    assert train.main(["--task", TASK, "--motion", clip, *small, *kept]) == 0
    (run,) = (tmp_path / "logs" / "rsl_rl" / "go1_velocity").iterdir()
    assert (run / "snapshots" / "robot.xml").is_file()
    assert "Snapshots/gait" in EventAccumulator(str(run)).Reload().Tags()["images"]


def test_a_training_resumes(run, clip, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--task", TASK, "--motion", clip, *SMALL, "--max_iterations", "1", "--checkpoint", str(run / "model_1.pt")]
    assert train.main(arguments) == 0
    folder = capsys.readouterr().out.splitlines()[-1].removeprefix("run: ")
    (last,) = sorted((tmp_path / "logs").rglob("model_*.pt"))[-1:]
    assert folder == str(last.parent)
    assert torch.load(last, weights_only=True)["infos"]["env_state"]["common_step_counter"] > 24


def test_a_dry_run_prints_what_is_added_and_stops(clip, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert train.main(["--task", TASK, "--motion", clip, "--dry_run"]) == 0
    printed = capsys.readouterr().out
    assert "amp_obs_group(spec)" in printed and "reference_reset(" in printed and not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--task", "Mjlab-Velocity-Flat-Unitree-G0"], "unknown task 'Mjlab-Velocity-Flat-Unitree-G0'; did you mean"),
        (["--task", TASK], "amp_cfg.motions is empty"),
        (["--task", TASK, "--motion", "none.npz"], "none.npz: no such file"),
        (
            ["--task", TASK, "--motion", "CLIP", "env.reward.pose.weight=0"],
            "unknown setting 'env.reward.pose.weight'; did you mean",
        ),
        (["--task", TASK, "--motion", "CLIP", "env.decimation=two"], "env.decimation is 'two'; expected int"),
        (["--task", TASK, "--motion", "CLIP", "--nun_envs", "4"], "unknown argument '--nun_envs'"),
        (["--task", TASK, "--motion", "CLIP", "--num_envs", "0"], "--num_envs 0: expected at least 1"),
    ],
)
def test_bad_input_is_one_line_and_status_2(clip, arguments, words, capsys):
    arguments = [clip if argument == "CLIP" else argument for argument in arguments]
    assert train.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("amp-train: error: ") == 1 and words in error and "Traceback" not in error


def test_a_policy_is_measured(run, clip, tmp_path, capsys):
    out = tmp_path / "eval.json"
    arguments = ["--task", TASK, "--checkpoint", str(run / "model_1.pt"), "--motion", clip, "--num_envs", "4"]
    assert amp_eval.main([*arguments, "--seconds", "3", "--json", str(out), "--device", "cpu"]) == 0
    measures = json.loads(out.read_text())
    assert {"velocity_error_mps", "foot_slip_mps", "falls_per_minute_pushed", "stride_frequency_ratio"} <= set(measures)


def test_a_policy_is_compared_at_the_references_commands(run, clip, tmp_path):
    out = tmp_path / "eval.json"
    arguments = ["--task", TASK, "--checkpoint", str(run / "model_1.pt"), "--motion", clip, "--num_envs", "4", "--matched"]
    arguments += ["--seconds", "3", "--json", str(out), "--plots", str(tmp_path), "--device", "cpu"]
    assert amp_eval.main(arguments) == 0
    assert {"matched_commands", "standing_speed_mps", "two_sample_auc_joint_pos", "precision"} <= set(
        json.loads(out.read_text())
    )
    assert (tmp_path / "at_a_glance.png").exists()


@pytest.fixture(scope="module")
def exported(run):
    """An exported policy, and its robot in plain MuJoCo; ``amp-export`` has compared the export with the policy."""
    out = run / "exported"
    assert export.main(["--task", TASK, "--checkpoint", str(run / "model_1.pt"), "--out", str(out), "--device", "cpu"]) == 0
    policy = DeployedPolicy(out)
    return policy, MujocoRobot(policy.description, policy.description.model_path(out))


def test_an_exported_policy_runs_in_plain_mujoco(exported):
    policy, robot = exported
    assert policy.description.robot.feet["body_names"] == ["FR_calf", "FL_calf", "RR_calf", "RL_calf"]
    for _ in range(10):
        robot.step(policy(robot.signals(np.array([0.5, 0.0, 0.0]))))
    assert 0.1 < robot.data.qpos[2] < 0.35 and np.isfinite(robot.data.qpos).all()


def test_the_velocity_is_that_of_the_point_that_mjlabs_sensor_measures(exported):
    """In plain MuJoCo, the signal is what the robot's own velocimeter says."""
    robot = exported[1]
    robot.data.qpos[3:7] = [0.8, 0.0, 0.36, 0.48]
    robot.data.qvel[:6] = [0.3, -0.2, 0.1, 0.5, -1.0, 2.0]
    mujoco.mj_forward(robot.model, robot.data)
    found = robot.signals(np.zeros(3))
    np.testing.assert_allclose(found["base_lin_vel"], robot.data.sensor("imu_lin_vel").data, atol=1e-5)
    np.testing.assert_allclose(found["base_ang_vel"], robot.data.sensor("imu_ang_vel").data, atol=1e-5)


def test_a_policy_is_filmed(run, tmp_path):
    out = tmp_path / "walk.gif"
    arguments = ["--task", TASK, "--checkpoint", str(run / "model_1.pt"), "--video", str(out), "--seconds", "0.2"]
    assert play.main([*arguments, "--device", "cpu"]) == 0
    assert out.stat().st_size > 10_000


def test_a_policy_is_recorded_as_a_clip(run, tmp_path):
    out = tmp_path / "clip.npz"
    arguments = ["--task", TASK, "--checkpoint", str(run / "model_1.pt"), "--out", str(out), "--steps", "110", "--skip", "0"]
    assert record.main([*arguments, "--num_envs", "2", "--command", "0.5", "0", "0", "--device", "cpu"]) == 0
    motion = load_motion(out)
    assert motion.spec == SPEC and motion.dt == pytest.approx(0.02) and len(motion.states) >= 100


def test_the_example_trains(clip, tmp_path, monkeypatch):
    from examples import mjlab_go1

    monkeypatch.chdir(tmp_path)
    mjlab_go1.main([clip, "--num_envs", "4", "--iterations", "1", "--log_dir", "run", "--device", "cpu"])
    assert (tmp_path / "run" / "model_0.pt").exists()
