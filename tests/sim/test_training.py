"""The real environment on the CPU, a few iterations, through every way in."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_runner import AMPStateSpec, load_motion
from amp_runner.evaluation.gait_metrics import dominant_frequency
from tests.amp_runner.learning.test_runner import TAGS
from tests.conftest import REPOSITORY
from tests.sim.simulator import call, run_command, run_process

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

TASK = "Isaac-Velocity-Flat-Ostrich-v0"
SMALL = ["--task", TASK, "--num_envs", "16", "--device", "cpu", "--max_iterations", "2"]
MOTION = str(REPOSITORY / "motions" / "walk.npz")
RUN = str(REPOSITORY / "motions" / "run.npz")
POLICIES = REPOSITORY / "policies"


def run_folder(process):
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    last = process.stdout.strip().splitlines()[-1]
    assert last.startswith("run: "), last
    return Path(last.removeprefix("run: "))


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A finished run of amp-train in a process of its own, and the folder in which it was started."""
    cwd = tmp_path_factory.mktemp("first")
    process = run_process(sys.executable, "-m", "amp_runner.cli.train", *SMALL, "--motion", MOTION, cwd=cwd)
    return cwd, run_folder(process), process


def test_amp_train_leaves_a_run_as_isaac_lab_does(first_run):
    _, folder, _ = first_run
    for name in ("model_1.pt", "params/env.yaml", "params/agent.yaml", "run.json"):
        assert (folder / name).is_file(), name
    tags = set(EventAccumulator(str(folder)).Reload().Tags()["scalars"])
    assert TAGS | {"Train/mean_reward", "Episode_Reward/track_lin_vel"} <= tags


def test_the_same_seed_is_the_same_run_bit_for_bit(first_run, tmp_path):
    _, folder, _ = first_run
    again = run_folder(run_command("train", *SMALL, "--motion", MOTION, cwd=tmp_path))
    first, second = (torch.load(f / "model_1.pt", weights_only=True) for f in (folder, again))
    for part in ("actor_state_dict", "critic_state_dict"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), f"{part}.{name}"
    for name, tensor in first["amp"]["discriminator"].items():
        assert torch.equal(tensor, second["amp"]["discriminator"][name]), name
    assert torch.equal(first["amp"]["replay"]["windows"], second["amp"]["replay"]["windows"])
    assert torch.equal(first["random"]["torch"], second["random"]["torch"])


def test_amp_train_resumes_from_the_latest_checkpoint(first_run):
    cwd, folder, _ = first_run
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    process = run_command("train", *SMALL, "--motion", MOTION, "--checkpoint", "latest", cwd=cwd)
    resumed = run_folder(process)
    assert "Learning iteration 2/" in process.stdout or "Learning iteration 1/" in process.stdout
    assert resumed != folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    steps = [torch.load(max(run.glob("model_*.pt")), weights_only=True)["env_steps"] for run in (folder, resumed)]
    assert steps == [2 * 24, 4 * 24], "the curricula resume as well"


def test_a_reward_term_that_overflows_is_named_and_nothing_is_lost(tmp_path):
    process = run_command(
        "train", "--task", "tests.sim.extra_tasks:Faulty-Ostrich-v0", *SMALL[2:], "--motion", MOTION, cwd=tmp_path
    )
    assert process.returncode == 2
    assert "reward: inf in environment 3 (1 of 16 environments are affected)" in process.stderr
    (saved,) = tmp_path.rglob("model_0.pt")
    assert f"terms: overflowing; saved before it: {saved}" in process.stderr


@pytest.mark.parametrize("variant", ["Rough", "Flat-SimToReal"])
def test_the_other_tasks_train_too_from_the_shipped_networks(variant, tmp_path, caplog):
    arguments = ["--task", f"Isaac-Velocity-{variant}-Ostrich-v0", *SMALL[2:], "--motion", MOTION]
    arguments += ["--checkpoint", str(POLICIES / "ostrich_walk.pt"), "--no-resume_optimizer_state"]
    # Two of the options that are off by default, with the simulator's own observations and commands.
    options = [
        "agent.algorithm.amp_cfg.command_group='amp_command'",
        "env.events.reset_to_reference.params.command_name='base_velocity'",
    ]
    process = run_command("train", *arguments, *options, cwd=tmp_path)
    folder = run_folder(process)
    assert "discriminator not loaded: it was trained on AMP states with 22 numbers; this run has 25" in caplog.text
    state = torch.load(max(folder.glob("model_*.pt"), key=lambda path: path.stat().st_mtime), weights_only=True)
    assert state["iter"] > 300, "counted from the shipped policy's iteration"
    assert state["amp"]["frame_dim"] == 22 + 3
    assert torch.isfinite(state["amp"]["replay"]["windows"]).all()
    # A robot that stands on the ground is as high above it as one on flat ground, wherever the terrain put it.
    assert state["amp"]["replay"]["windows"][..., 0].median() < 0.35


def test_amp_eval_measures_the_gait(first_run, tmp_path):
    cwd, folder, _ = first_run
    process = run_command("eval", "--task", TASK, "--checkpoint", str(folder / "model_1.pt"),
        "--motion", MOTION, "--motion", RUN, "--num_envs", "38",
        "--seconds", "3", "--device", "cpu", "--json", str(tmp_path / "out.json"), cwd=cwd,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    assert '"falls_per_minute"' in (tmp_path / "out.json").read_text()


def _stock_train(arguments):
    from isaaclab_rl.entrypoints import run_train_cli

    import ostrich_env  # noqa: F401

    return run_train_cli(arguments)


def test_the_stock_command_trains_with_amp(tmp_path):
    """isaaclab train takes RSL-RL's own runner, which AMPPPO alone must satisfy."""
    # Stock Isaac Lab's --device moves the simulation only.
    arguments = [*SMALL, f"agent.algorithm.amp_cfg.motions=['{MOTION}']", "agent.device=cpu"]
    process = call(_stock_train, *arguments, cwd=tmp_path)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    assert "AMP/style_reward" in process.stdout
    assert list(tmp_path.glob("logs/rsl_rl/ostrich_flat/*/model_1.pt"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--motion", "none.npz"], "none.npz: no such file"),
        (["--motion", f"{MOTION}:0"], "expected a number > 0"),
        (["--motion", MOTION, "agent.algorithm.amp_cfg.style_wight=2"], "did you mean 'style_weight'?"),
        (["--motion", MOTION, "agent.algorithm.amp_cfg.num_frames=500"], "a window needs 500"),
        (["--motion", MOTION, "--nonsense"], "unknown argument '--nonsense'"),
        (["--motion", MOTION, "--config", "none.yaml"], "none.yaml: cannot be read"),
        (
            ["--motion", MOTION, "--task", "Isaac-Velocity-Flat-Ostrch-v0"],
            "did you mean 'Isaac-Velocity-Flat-Ostrich-v0'",
        ),
        (["--motion", MOTION, "env.observations.amp.state.params.velocity_frame=world"], "the environment has [world]"),
        (["--motion", MOTION, "--checkpoint", "none.pt"], "none.pt: no such file"),
        (["--motion", MOTION, "--checkpoint", str(POLICIES / "ostrich_walk.pt")], "add --no-resume_optimizer_state"),
        (["--motion", MOTION, "--task", "Isaac-Cartpole-Direct"], "the task is a Direct one"),
        (["--motion", MOTION, "--task", "none:Isaac-Velocity-Flat-Ostrich-v0"], "No module named 'none'"),
        (["--motion", MOTION, "env.decimation=2"], "its dt is 0.02 s; the environment's time step is 0.01 s"),
    ],
)
def test_bad_input_is_one_line_and_status_2_before_the_simulator_starts(tmp_path, arguments, words):
    process = run_command("train", *SMALL, *arguments, cwd=tmp_path)
    assert process.returncode == 2
    error = [line for line in process.stderr.splitlines() if line.startswith("amp-train: error: ")]
    assert len(error) == 1 and words in error[0], process.stderr[-2000:]
    assert "Traceback" not in process.stderr
    assert "Launching simulation" not in process.stdout
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    ("variant", "policy", "options", "speed", "tolerance", "stride"),
    [
        ("Flat", "ostrich_walk", (), 0.5, 0.05, 2.13),
        ("Flat", "ostrich_walk_run", ("--config", str(REPOSITORY / "configs" / "walk_run.yaml")), 1.0, 0.05, 2.8),
        ("Flat-SimToReal", "ostrich_sim_to_real", (), 0.5, 0.1, 2.13),
        ("Flat", "ostrich_physx", ("physics=ovphysx",), 0.5, 0.1, 2.13),
        # Half of the terrain's heights: on all of them one robot in 8 minutes falls.
        ("Rough", "ostrich_rough", ("env.scene.terrain.terrain_generator.difficulty_range=[0.0,0.5]",), 0.5, 0.1, 2.13),
    ],
)
def test_the_shipped_policies_walk_and_can_be_recorded(variant, policy, options, speed, tolerance, stride, tmp_path):
    out = tmp_path / "gait.npz"
    process = run_command("record", "--task", f"Isaac-Velocity-{variant}-Ostrich-v0",
        "--checkpoint", str(POLICIES / f"{policy}.pt"), "--num_envs", "16", "--steps", "250",
        "--command", str(speed), "0", "0", "--device", "cpu", "--out", str(out), *options, cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    motion = load_motion(out)
    spec = AMPStateSpec(motion.joint_names, velocity_frame=motion.velocity_frame)
    assert motion.layout == spec.layout and motion.dt == pytest.approx(0.02)
    assert len(motion.clip_lengths) == 16 and (motion.clip_lengths == 200).all(), "nobody fell; one second is cut off"
    velocity = motion.states[:, spec.features["root_lin_vel"]]
    assert velocity[:, 0].mean() == pytest.approx(speed, abs=tolerance)
    hips = np.stack(motion.clips(), axis=1)[..., spec.features["joint_pos"]][..., 1]
    assert np.median(dominant_frequency(hips, motion.dt)) == pytest.approx(stride, rel=0.1), "the reference's stride"
    assert np.median(hips.std(axis=0)) > 0.18, "no shuffle"


@pytest.mark.parametrize(
    "amp_state",
    [
        (),
        (
            "env.observations.amp.state.params.velocity_frame=world",
            "env.observations.amp.state.params.orientation=quaternion",
        ),
    ],
)
def test_the_scripted_gait_walks_without_a_policy_whatever_is_recorded(tmp_path, amp_state):
    """And on what this machine has, without being told."""
    out = tmp_path / "gait.npz"
    process = run_command("record", "--task", TASK, "--controller", "gait", "--num_envs", "16", "--steps", "200",
        "--command", "0.4", "0", "0", "--out", str(out), *amp_state, cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    motion = load_motion(out)
    assert motion.states.shape[1] == 22 + len(amp_state) // 2
    assert len(motion.states) * motion.dt > 0.8 * 16 * 3.0, "most of them went on for the three seconds after the start"
    assert "gait" in motion.source
