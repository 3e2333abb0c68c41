"""Watching, exporting and evaluating the shipped policy, in Isaac Lab and outside of it."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from tests.amp_runner.viewers.test_clip_viewer import picture, wait_for
from tests.conftest import REPOSITORY
from tests.sim.simulator import run_command
from tests.sim.test_training import MOTION, TASK

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

POLICY = str(REPOSITORY / "policies" / "ostrich_walk.pt")
EXPORTED = REPOSITORY / "policies" / "exported"


def assert_same(found, expected):
    """Equal words, and numbers equal to six digits: the last ones depend on the processor."""
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for pair in zip(found, expected):
            assert_same(*pair)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    else:
        assert found == expected


def test_the_shipped_export_is_what_amp_export_writes(tmp_path):
    out = tmp_path / "exported"
    process = run_command(
        "export", "--task", TASK, "--checkpoint", POLICY, "--device", "cpu", "--out", str(out), cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stdout.count("differs from the policy by at most") == 4
    found, shipped = (json.loads((folder / "policy.json").read_text()) for folder in (out, EXPORTED))
    for values in (found, shipped):
        values.pop("versions")
    assert_same(found, shipped)
    assert (out / "ostrich.xml").read_bytes() == (EXPORTED / "ostrich.xml").read_bytes()
    for name in ("policy.onnx", "policy.pt"):
        assert b"site-packages" not in (EXPORTED / name).read_bytes(), "no path of the machine that wrote it"
    networks = [torch.jit.load(str(folder / "policy.pt")) for folder in (out, EXPORTED)]
    observation = torch.randn(8, sum(entry["size"] * entry["history"] for entry in found["observations"]))
    torch.testing.assert_close(networks[0](observation), networks[1](observation))


def test_in_plain_mujoco_it_walks_as_in_isaac_lab(tmp_path):
    process = run_command("eval", "--export", str(EXPORTED), "--motion", MOTION, "--json", str(tmp_path / "out.json"),
        cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads((tmp_path / "out.json").read_text())
    expected = json.loads((REPOSITORY / "policies" / "ostrich_walk.eval.json").read_text())
    # Isaac Lab's robots have randomised masses, gains and friction, MuJoCo's has not.
    margins = {
        "velocity_error_mps": 0.02, "yaw_rate_error_radps": 0.03, "falls_per_minute": 0.05, "stride_frequency_ratio": 0.05,
        "hip_amplitude_ratio": 0.08, "duty_factor": 0.05, "foot_slip_mps": 0.02, "foot_clearance_m": 0.005,
        "action_rate": 0.01,
    }  # fmt: skip
    for name, margin in margins.items():
        assert found[name] == pytest.approx(expected[name], abs=margin), name


def test_an_export_is_compared_at_the_references_commands(tmp_path):
    process = run_command("eval", "--export", str(EXPORTED), "--motion", MOTION, "--matched", "--num_envs", "58",
        "--seconds", "5", "--json", str(tmp_path / "out.json"), "--plots", str(tmp_path), cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["matched_commands"] == 28 and found["standing_speed_mps"] < 0.1
    assert 0.5 < found["two_sample_auc_joint_pos"] < 0.95 and found["precision"] > 0.4
    assert found["stride_distance_rad"] < 0.06 and found["leg_phase_right"] == pytest.approx(0.5, abs=0.03)
    assert (tmp_path / "at_a_glance.png").exists()


def test_a_video_needs_neither_screen_nor_gpu_nor_isaac_sim(tmp_path):
    imageio = pytest.importorskip("imageio.v3")
    process = run_command("play", "--task", TASK, "--checkpoint", POLICY, "--device", "cpu", "--video", "walk.mp4",
        "--seconds", "1.2", cwd=tmp_path,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    pictures = np.stack(list(imageio.imiter(tmp_path / "walk.mp4"))).astype(float)
    assert pictures.shape == (30, 480, 640, 3)
    assert np.abs(np.diff(pictures[:, 80:], axis=0)).mean(axis=(1, 2, 3)).min() > 0.05, "it moves"
    middle = pictures[-1, 120:380, 200:440]
    assert (middle.max(axis=-1) < 80).mean() > 0.05, "black plumage"
    assert (middle[..., 0] > middle[..., 2] + 30).mean() > 0.0005, "orange feet"
    assert (middle.min(axis=-1) > 140).mean() > 0.003, "white tail"


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium and ChromeDriver")
def test_on_the_page_a_slider_makes_the_robot_follow(browser, tmp_path):
    from selenium.webdriver.common.keys import Keys

    command = [
        sys.executable, "-m", "amp_runner.cli.play", "--task", TASK, "--checkpoint", POLICY, "--device", "cpu", "--web",
        "--port", "8310", "--command", "0", "0", "0",
    ]  # fmt: skip
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
    try:
        assert wait_for(lambda: "amp-play: http" in (tmp_path / "log").read_text(), 300), "it starts"
        # The port may be another than the one asked for, if that is taken.
        browser.get(re.search(r"amp-play: (http\S+)", (tmp_path / "log").read_text())[1])
        assert wait_for(lambda: "Sideways" in browser.page_source), "the controls are there"
        assert wait_for(lambda: picture(browser).std() > 5), "the scene is drawn"
        titles = {title.text for title in browser.find_elements("css selector", ".u-title")}
        assert {"style reward", "discriminator"} <= titles, "the style's curves are there"
        slider = next(s for s in browser.find_elements("css selector", "[role=slider]") if s.rect["width"] > 0)

        def pushed_to_half():
            if float(slider.get_attribute("aria-valuenow")) < 0.5:
                slider.send_keys(Keys.ARROW_RIGHT)
                return False
            return True

        assert wait_for(pushed_to_half), "the slider moves"

        def speed():
            # Selenium's own .text is empty for what the panel has scrolled out of sight.
            texts = [p.get_attribute("textContent") for p in browser.find_elements("css selector", "p")]
            text = next((text for text in texts if "m/s forward" in text), "0 ")
            return float(text.split(" ")[0])

        assert wait_for(lambda: abs(speed() - 0.5) < 0.15), "the robot's speed follows"
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("play", ["--video", "a.mp4", "--checkpoint", "none.pt"], "none.pt: no such file"),
        ("play", ["--video", "a.mp4", "--checkpoint", "latest"], "--checkpoint latest"),
        ("play", ["--checkpoint", POLICY], "no screen to open"),
        ("play", ["--vidoe", "a.mp4", "--web", "--checkpoint", POLICY], "unknown argument '--vidoe'"),
        ("export", ["--out", MOTION, "--checkpoint", POLICY], "is a file; expected a folder"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, monkeypatch, module, arguments, words):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delitem(os.environ, name, raising=False)
    process = run_command(module, "--task", TASK, "--device", "cpu", *arguments, cwd=tmp_path)
    assert process.returncode == 2, process.stderr[-2000:]
    errors = [line for line in process.stderr.splitlines() if line.startswith(f"amp-{module}: error: ")]
    assert len(errors) == 1 and words in errors[0], process.stderr[-2000:]
    assert "Traceback" not in process.stderr


def test_a_checkpoint_of_another_task_is_one_line(tmp_path):
    state = torch.load(POLICY, weights_only=True)
    actor = state["actor_state_dict"]
    first = next(name for name in actor if name.endswith("mlp.0.weight"))
    actor[first] = actor[first][:, :-3]
    torch.save(state, tmp_path / "other.pt")
    process = run_command(
        "play",
        "--task",
        TASK,
        "--device",
        "cpu",
        "--video",
        "a.mp4",
        "--checkpoint",
        "other.pt",
        cwd=tmp_path,
    )
    assert process.returncode == 2 and "Traceback" not in process.stderr, process.stderr[-2000:]
    assert "other.pt: its actor does not fit the task" in process.stderr
