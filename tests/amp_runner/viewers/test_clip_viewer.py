"""The page in a real, headless browser."""

import io
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from amp_runner import load_motion
from amp_runner.motions.robot_model import RobotModel
from tests.conftest import ASSETS, REPOSITORY, stepping

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium and ChromeDriver"),
]


@pytest.fixture(scope="module")
def page():
    from amp_runner.viewers.clip_viewer import Page

    motion = load_motion(REPOSITORY / "motions" / "walk.npz")
    robots = [RobotModel(ASSETS / "ostrich.xml", motion.joint_names) for _ in range(2)]
    with stepping(Page([motion, motion], robots, clip=20, port=8290)) as page:
        yield page


def picture(browser):
    """The left two thirds of the page, where the robots are; the controls are on the right."""
    image = np.asarray(Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("L"), dtype=float)
    return image[image.shape[0] // 3 :, : image.shape[1] * 2 // 3]


def wait_for(condition, seconds=240.0):  # a page drawn in software on a busy machine takes a minute
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.5)
    return False


def test_robots_move_when_played_and_stand_when_paused(page, browser):
    page.playing.value = False
    browser.get(f"http://localhost:{page.server.get_port()}")
    assert wait_for(lambda: "Time [s]" in browser.page_source), "the controls are there"
    assert wait_for(lambda: picture(browser).std() > 10), "the robots are drawn"
    assert wait_for(lambda: np.abs(picture(browser) - picture(browser)).max() == 0), "paused: nothing moves"
    before, at = picture(browser), page.time.value
    # The page keeps a hidden panel with checkboxes of its own; the first that has a size is Play.
    boxes = browser.find_elements("css selector", "input[type=checkbox]")
    next(box for box in boxes if box.rect["width"] > 0).click()
    assert wait_for(lambda: page.playing.value), "a click on Play reaches the program"
    assert wait_for(lambda: page.time.value != at)
    assert wait_for(lambda: np.abs(picture(browser) - before).mean() > 0.1), "the robots move"
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
