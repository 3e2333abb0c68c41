"""Watching a policy: arguments, the video, and the page in a real, headless browser."""

import os
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from amp_runner import AMPError
from amp_runner.cli import play
from amp_runner.viewers.rendering import open_video
from tests.conftest import REPOSITORY, stepping

EXPORTED = str(REPOSITORY / "policies" / "exported")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--export", EXPORTED], "no screen to open"),
        (["--export", EXPORTED, "--video", "a.avi"], "ends in .mp4 or .gif"),
        (["--export", EXPORTED, "--video", "none/a.mp4"], "the folder does not exist"),
        (["--export", EXPORTED, "--video", "a.mp4", "--web"], "choose one"),
        (["--export", EXPORTED, "--web", "--seconds", "0"], "expected more than 0"),
        (["--export", EXPORTED, "--web", "--command", "1", "2"], "expected VX VY WZ"),
        (["--export", "none", "--web"], "expected a folder that amp-export made"),
        (["--export", EXPORTED, "--task", "T", "--web"], "remove --task"),
        (["--export", EXPORTED, "--webb"], "unknown argument '--webb'"),
        (["--web"], "give either --task and --checkpoint (Isaac Lab) or --export"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(arguments, words, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert play.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("amp-play: error: ") and words in error and "Traceback" not in error


def test_without_opengl_there_is_a_line_that_helps(tmp_path):
    # A process of its own: MuJoCo chooses how to draw when it is imported.
    command = [sys.executable, "-m", "amp_runner.cli.play", "--export", EXPORTED, "--video", str(tmp_path / "a.mp4")]
    process = subprocess.run(command, env=os.environ | {"MUJOCO_GL": "none"}, capture_output=True, text=True)
    assert process.returncode == 2 and "Traceback" not in process.stderr
    assert "amp-play: error: cannot draw without a screen" in process.stderr and "install EGL" in process.stderr


def test_without_an_encoder_there_is_a_line_that_helps(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(AMPError, match="pip install 'imageio\\[ffmpeg\\]'"):
        open_video(str(tmp_path / "a.mp4"), 25.0)


@pytest.mark.browser
def test_a_video_shows_the_robot_walking(tmp_path):
    imageio = pytest.importorskip("imageio.v3")
    out = tmp_path / "walk.mp4"
    assert play.main(["--export", EXPORTED, "--video", str(out), "--seconds", "2"]) == 0
    pictures = np.stack(list(imageio.imiter(out))).astype(float)
    assert pictures.shape == (50, 480, 640, 3)
    walking = pictures[15:, 80:]  # it begins standing
    assert np.abs(np.diff(walking, axis=0)).mean(axis=(1, 2, 3)).min() > 0.1, "it moves from picture to picture"
    middle = pictures[-1, 100:360, 220:420]
    assert (middle.max(axis=-1) < 60).mean() > 0.03, "black plumage"
    red, green, blue = np.moveaxis(middle, -1, 0)
    assert ((red > green + 15) & (green > blue + 5)).mean() > 0.03, "skin and sand"
    assert (pictures[:, :50, :360].max(axis=(1, 2, 3)) > 200).all(), "the command and the speed are written on it"


@pytest.fixture
def page():
    from amp_runner.viewers.control_page import ControlPage
    from amp_runner.viewers.mujoco_player import MujocoPlayer

    with stepping(ControlPage(MujocoPlayer(EXPORTED), 8295, [0.0, 0.0, 0.0])) as page:
        yield page


@pytest.mark.browser
def test_the_view_is_the_viewers_once_the_browser_has_ours(page):
    # Browsers first report a camera of their own, at times after ours was sent.
    def reports(position, look_at):
        page._record_eye(SimpleNamespace(client_id=7, camera=SimpleNamespace(position=position, look_at=look_at)))

    ours, robot, theirs = np.array([0.5, -0.8, 0.2]), np.array([2.0, 0.0, 0.15]), np.array([0.0, 2.0, 1.0])
    reports(np.full(3, 3.0), np.zeros(3))
    assert 7 not in page._eyes
    reports(robot + ours, robot)
    np.testing.assert_allclose(page._eyes[7], ours)
    reports(robot + theirs, robot)
    np.testing.assert_allclose(page._eyes[7], theirs)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium and ChromeDriver")
def test_moving_a_slider_makes_the_robot_follow(page, browser):
    from selenium.webdriver.common.keys import Keys

    from tests.amp_runner.viewers.test_clip_viewer import picture, wait_for

    browser.get(f"http://localhost:{page.server.get_port()}")
    assert wait_for(lambda: "Sideways" in browser.page_source), "the controls are there"
    assert wait_for(lambda: (picture(browser) < 60).mean() > 0.002), "black plumage: the robot is drawn"
    assert abs(page.velocity[0]) < 0.1
    # The page keeps a hidden copy of its controls.
    sliders = [s for s in browser.find_elements("css selector", "[role=slider]") if s.rect["width"] > 0]
    for _ in range(10):  # of 0.05 m/s
        sliders[0].send_keys(Keys.ARROW_RIGHT)
    assert wait_for(lambda: abs(page.sliders[0].value - 0.5) < 1e-6), "the slider reaches the program"
    assert wait_for(lambda: abs(page.velocity[0] - 0.5) < 0.12), "the robot's speed follows"
    time.sleep(2.0)
    assert (picture(browser) < 60).mean() > 0.002, "the camera goes along"
    place = page.player.position()
    assert np.hypot(*place[:2]) > 0.5
    reset = next(b for b in browser.find_elements("css selector", "button") if b.text == "Reset" and b.rect["width"] > 0)
    reset.click()
    assert wait_for(lambda: np.hypot(*page.player.position()[:2]) < np.hypot(*place[:2]) - 0.3), "Reset puts it back"
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
