"""Pictures of the policy in TensorBoard."""

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.tensorboard import SummaryWriter

from amp_runner import AMPOnPolicyRunner, AMPStateSpec, ConfigError, load_motion
from amp_runner.viewers.snapshots import PolicySnapshotLogger
from tests.conftest import ASSETS, REPOSITORY, CountingEnv, train_cfg

ROBOT = str(ASSETS / "ostrich.xml")


@pytest.fixture(scope="module")
def walk():
    return load_motion(REPOSITORY / "motions" / "walk.npz")


@pytest.fixture
def watcher(tmp_path, walk):
    return PolicySnapshotLogger(tmp_path / "watch", AMPStateSpec(walk.joint_names), walk.dt, ROBOT, interval=1)


def test_only_the_current_episode_is_kept(watcher, walk):
    states, dones = torch.from_numpy(walk.clips()[0][:100]), torch.zeros(100, 1)
    dones[29] = 1
    watcher.add(states, dones)
    np.testing.assert_array_equal(watcher._frames, states[30:])
    watcher.add(states[:24], torch.zeros(24, 1))
    np.testing.assert_array_equal(watcher._frames, torch.cat([states[30:], states[:24]]))
    for _ in range(3):
        watcher.add(states, torch.zeros(100, 1))
    assert len(watcher._frames) == round(4.0 / walk.dt), "the last four seconds"


@pytest.mark.browser
def test_a_picture_and_a_film_reach_tensorboard(watcher, walk, tmp_path):
    watcher.add(torch.from_numpy(walk.clips()[20]), torch.zeros(len(walk.clips()[20]), 1))
    watcher.start(7)
    with SummaryWriter(str(tmp_path / "log")) as writer:
        assert watcher.show(writer, wait=True) == []
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    assert set(events.Tags()["images"]) == {"Watch/gait", "Watch/film"}
    (film,) = events.Images("Watch/film")
    assert film.step == 7 and film.encoded_image_string.startswith(b"GIF8") and (film.width, film.height) == (320, 240)
    assert len(load_motion(tmp_path / "watch" / "iteration_7.npz").states) == len(walk.clips()[20])


@pytest.mark.browser
def test_what_cannot_be_drawn_is_said_and_too_little_is_left_for_the_next_time(watcher, walk, tmp_path):
    watcher.add(torch.from_numpy(walk.clips()[0][:10]), torch.zeros(10, 1))
    watcher.start(1)
    assert not (tmp_path / "watch").exists()
    watcher.robot = "none.xml"
    watcher.add(torch.from_numpy(walk.clips()[0]), torch.zeros(150, 1))
    watcher.start(2)
    failures = watcher.show(None, wait=True)
    assert len(failures) == 2 and "none.xml" in failures[0]


def test_drawing_never_ends_the_training(amp_cfg, tmp_path, monkeypatch):
    runner = AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), str(tmp_path))

    class Broken:
        interval = 1

        def add(self, states, dones):
            pass

        def start(self, iteration):
            raise OSError("the disk is full")

    runner.logger.watcher = Broken()
    with pytest.warns(UserWarning, match="the disk is full; no more pictures"):
        runner.learn(2)
    assert runner.logger.watcher is None and (tmp_path / "model_1.pt").exists()


def test_the_runner_checks_what_it_needs_and_lays_the_charts_out(amp_cfg, tmp_path):
    with pytest.raises(ConfigError, match="watch_robot None"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg) | {"watch_interval": 5})
    layout = [["AMP", "rewards", ["AMP/style_reward", "AMP/task_reward"]], ["AMP", "logits", ["AMP/logit_expert"]]]
    runner = AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg) | {"tensorboard_layout": layout}, str(tmp_path))
    runner.learn(1)
    (event,) = EventAccumulator(str(tmp_path)).Reload().Tensors("custom_scalars__config__")
    (panel,) = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0]).category
    charts = {chart.title: list(chart.multiline.tag) for chart in panel.chart}
    assert panel.title == "AMP"
    assert charts == {"rewards": ["AMP/style_reward", "AMP/task_reward"], "logits": ["AMP/logit_expert"]}
