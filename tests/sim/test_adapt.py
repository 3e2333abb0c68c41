"""AMP on an Isaac Lab task that knows nothing of it."""

import re

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_runner import AMPStateSpec, ConfigError
from amp_runner.deploy import PolicyDescription
from tests.conftest import REPOSITORY
from tests.sim.simulator import run_command
from tests.sim.test_training import run_folder

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

TASK = "tests.sim.extra_tasks:Plain-Ostrich-v0"
MOTION = str(REPOSITORY / "motions" / "walk.npz")


def test_a_plain_task_trains_with_amp(tmp_path):
    arguments = ["--task", TASK, "--motion", MOTION, "--num_envs", "16", "--device", "cpu", "--max_iterations", "2"]
    process = run_command("train", *arguments, "agent.algorithm.amp_cfg.num_frames=5", "agent.save_interval=1", cwd=tmp_path)
    folder = run_folder(process)
    state = torch.load(folder / "model_1.pt", weights_only=True)
    assert state["amp"]["num_frames"] == 5 and AMPStateSpec.from_dict(state["amp"]["spec"]).dim == 22
    tags = set(EventAccumulator(str(folder)).Reload().Tags()["scalars"])
    assert {"AMP/style_reward", "AMP/valid_windows", "Episode_Reward/track_lin_vel"} <= tags

    checkpoint, out = str(folder / "model_1.pt"), str(tmp_path / "exported")
    process = run_command(
        "export", "--task", TASK, "--checkpoint", checkpoint, "--device", "cpu", "--out", out, cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert "an estimator has to provide it" in process.stdout, "the policy observes its linear velocity"
    description = PolicyDescription.load(out)
    assert description.observations[-1].signal == "base_lin_vel"
    assert description.robot.velocity_point == [0.0, 0.0, 0.035], "the base's centre of mass"


def test_a_dry_run_prints_lines_that_do_the_same(tmp_path):
    process = run_command("train", "--task", TASK, "--motion", MOTION, "--dry_run", cwd=tmp_path)
    assert process.returncode == 0, process.stderr[-2000:]
    lines = [line[4:] for line in process.stdout.splitlines() if line.startswith("    ")]
    assert not (tmp_path / "logs").exists()

    from isaaclab.managers import EventTermCfg, SceneEntityCfg

    import amp_runner
    import amp_runner.isaaclab
    from tests.sim.extra_tasks import PlainEnvCfg, PlainRunnerCfg

    pasted = {"env_cfg": PlainEnvCfg(), "agent_cfg": PlainRunnerCfg(), "amp_runner": amp_runner}
    exec("\n".join(lines), pasted | {"SceneEntityCfg": SceneEntityCfg, "EventTermCfg": EventTermCfg} | pasted)
    env_cfg, agent_cfg = PlainEnvCfg(), PlainRunnerCfg()
    amp_runner.isaaclab.with_amp(env_cfg, agent_cfg, MOTION)
    assert pasted["agent_cfg"].algorithm.to_dict() == agent_cfg.algorithm.to_dict()
    assert AMPStateSpec.from_env_cfg(pasted["env_cfg"]) == AMPStateSpec.from_env_cfg(env_cfg) is not None
    assert pasted["env_cfg"].compute_final_obs and pasted["env_cfg"].events.reset_to_reference.params["command_name"]
    mirror = agent_cfg.algorithm.amp_cfg.mirror
    assert (mirror.permutation, mirror.signs) == AMPStateSpec.from_env_cfg(env_cfg).mirror(".*_roll_joint")


def test_on_uneven_ground_the_height_is_measured_by_the_robots_rays():
    import amp_runner.isaaclab
    from ostrich_env.tasks.rough_env_cfg import OstrichRoughEnvCfg
    from tests.sim.extra_tasks import PlainRunnerCfg

    env_cfg = OstrichRoughEnvCfg()
    env_cfg.observations.amp = None
    lines = amp_runner.isaaclab.with_amp(env_cfg, PlainRunnerCfg(), MOTION)
    assert env_cfg.observations.amp.state.params["ground_sensor"] == "ground_rays"
    assert any("'ground_sensor': 'ground_rays'" in line for line in lines)
    env_cfg.observations.amp, env_cfg.scene.ground_rays = None, None
    lines = amp_runner.isaaclab.with_amp(env_cfg, PlainRunnerCfg(), MOTION)
    assert any("the ground is uneven, and no ray caster" in line for line in lines)


def test_without_a_motion_the_way_is_shown(tmp_path):
    process = run_command("train", "--task", TASK, "--num_envs", "4", "--device", "cpu", cwd=tmp_path)
    assert process.returncode == 2
    assert re.search(r"not configured for AMP: pass --motion FILE, with which amp-train adds it", process.stderr)


def test_the_robot_is_found_by_its_name_or_because_it_is_alone():
    from amp_runner.isaaclab.access import robot_name

    assert robot_name(["ball", "robot"]) == "robot" and robot_name(["bird"]) == "bird"
    for names in ([], ["bird", "ball"]):
        with pytest.raises(ConfigError, match="call the robot's 'robot'"):
            robot_name(names)


def test_amp_is_added_to_a_robot_of_another_name():
    import amp_runner.isaaclab
    from tests.sim.extra_tasks import PlainEnvCfg, PlainRunnerCfg

    env_cfg = PlainEnvCfg()
    env_cfg.scene.bird, env_cfg.scene.robot = env_cfg.scene.robot, None
    lines = amp_runner.isaaclab.with_amp(env_cfg, PlainRunnerCfg(), MOTION)
    assert env_cfg.observations.amp.state.params["asset_cfg"].name == "bird"
    assert env_cfg.events.reset_to_reference.params["asset_cfg"].name == "bird"
    assert sum('SceneEntityCfg("bird"' in line for line in lines) == 2


def test_the_example_project_trains_without_a_word_about_amp(tmp_path, monkeypatch):
    project = REPOSITORY / "examples" / "isaaclab_project" / "src"
    assert not [file for file in project.rglob("*.py") if "amp" in file.read_text().lower().split()]
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.syspath_prepend(project)
    arguments = ["--num_envs", "16", "--device", "cpu", "--max_iterations", "1", "agent.algorithm.amp_cfg.num_frames=5"]
    process = run_command(
        "train", "--task", "my_walker.tasks:MyWalker-Walk-Ostrich", "--motion", MOTION, *arguments, cwd=tmp_path
    )
    assert "env_cfg.observations.amp" in process.stdout
    assert (run_folder(process) / "model_0.pt").is_file()
