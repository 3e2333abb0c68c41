"""TensorBoard's real server on a run's folder."""

import json
import re
import subprocess
import sys
import time
import urllib.request

from amp_runner import AMPOnPolicyRunner
from tests.conftest import CountingEnv, train_cfg


def get(url):
    with urllib.request.urlopen(url, timeout=60) as response:
        return json.loads(response.read())


def test_the_server_starts_and_serves_the_amp_curves(amp_cfg, tmp_path):
    """Every installed plugin is loaded at the start; one that fails, such as open3d's without libusb, stops the server."""
    AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), str(tmp_path / "run")).learn(3)
    log = tmp_path / "log"
    with log.open("w") as stream:
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path), "--port", "0"]
        server = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        address = None
        for _ in range(600):
            address = re.search(r"http://localhost:\d+/", log.read_text())
            if address or server.poll() is not None:
                break
            time.sleep(0.2)
        assert address, log.read_text()[-2000:]
        for _ in range(100):  # the server reads the event files in the background
            tags = get(f"{address[0]}data/plugin/scalars/tags").get("run", {})
            if "AMP/style_reward" in tags:
                break
            time.sleep(0.2)
        assert {"AMP/style_reward", "AMP/task_reward", "AMP/accuracy_expert", "Train/mean_reward"} <= set(tags)
        curve = get(f"{address[0]}data/plugin/scalars/scalars?run=run&tag=AMP%2Fstyle_reward")
        assert [step for _, step, _ in curve] == [0, 1, 2]
        layout = get(f"{address[0]}data/plugin/custom_scalars/layout")
        assert [panel["title"] for panel in layout["category"]] == ["AMP", "Task"]
    finally:
        server.terminate()
        server.wait(60)
