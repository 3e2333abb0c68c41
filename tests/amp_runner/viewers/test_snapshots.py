"""Pictures of the policy in TensorBoard."""

import subprocess
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.tensorboard import SummaryWriter

from amp_runner import AMPOnPolicyRunner, AMPStateSpec, load_motion
from amp_runner.viewers import snapshots as snapshots_module
from amp_runner.viewers.snapshots import PolicySnapshotLogger
from tests.conftest import ASSETS, REPOSITORY, CountingEnv, train_cfg

ROBOT = str(ASSETS / "ostrich.xml")


@pytest.fixture(scope="module")
def walk():
    return load_motion(REPOSITORY / "motions" / "walk.npz")


@pytest.fixture
def snapshots(tmp_path, walk):
    return PolicySnapshotLogger(tmp_path / "snapshots", AMPStateSpec(walk.joint_names), walk.dt, ROBOT, interval=1)


def test_only_the_current_episode_is_kept(snapshots, walk):
    states, dones = torch.from_numpy(walk.clips()[0][:100]), torch.zeros(100, 1)
    dones[29] = 1
    snapshots.add(states, dones)
    np.testing.assert_array_equal(snapshots._frames, states[30:])
    snapshots.add(states[:24], torch.zeros(24, 1))
    np.testing.assert_array_equal(snapshots._frames, torch.cat([states[30:], states[:24]]))
    for _ in range(3):
        snapshots.add(states, torch.zeros(100, 1))
    assert len(snapshots._frames) == round(4.0 / walk.dt), "the last four seconds"


@pytest.mark.browser
def test_a_picture_and_a_film_reach_tensorboard(snapshots, walk, tmp_path, monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)  # users do not set it
    snapshots.add(torch.from_numpy(walk.clips()[20]), torch.zeros(len(walk.clips()[20]), 1))
    snapshots.start(7)
    with SummaryWriter(str(tmp_path / "log")) as writer:
        assert snapshots.log(writer, wait=True) == []
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    assert set(events.Tags()["images"]) == {"Snapshots/gait", "Snapshots/film"}
    (film,) = events.Images("Snapshots/film")
    assert film.step == 7 and film.encoded_image_string.startswith(b"GIF8") and (film.width, film.height) == (320, 240)
    assert len(load_motion(tmp_path / "snapshots" / "iteration_7.npz").states) == len(walk.clips()[20])


@pytest.mark.browser
def test_what_cannot_be_drawn_is_said_and_too_little_is_left_for_the_next_time(snapshots, walk, tmp_path):
    snapshots.add(torch.from_numpy(walk.clips()[0][:10]), torch.zeros(10, 1))
    snapshots.start(1)
    assert not (tmp_path / "snapshots").exists()
    snapshots.robot = "none.xml"
    snapshots.add(torch.from_numpy(walk.clips()[0]), torch.zeros(150, 1))
    snapshots.start(2)
    failures = snapshots.log(None, wait=True)
    assert len(failures) == 2 and "none.xml" in failures[0]


def test_where_no_film_can_be_drawn_the_picture_of_the_gait_goes_on(snapshots, walk, tmp_path, monkeypatch, caplog):
    def without_opengl(function, clip, robot, out, log):
        log.write_text("no EGL")
        Image.new("RGB", (4, 4)).save(out)
        return subprocess.Popen(["false" if function == "draw_film" else "true"])

    monkeypatch.setattr(snapshots_module, "_start_drawing", without_opengl)
    snapshots.add(torch.from_numpy(walk.clips()[0]), torch.zeros(150, 1))
    with SummaryWriter(str(tmp_path / "log")) as writer:
        for iteration in (1, 2):
            snapshots._draw(writer, iteration)
            snapshots._draw(writer, None, wait=True)
    (record,) = caplog.records
    assert record.message == "iteration_1.gif could not be drawn: no EGL; this run draws no more of these"
    assert [image.step for image in EventAccumulator(str(tmp_path / "log")).Reload().Images("Snapshots/gait")] == [1, 2]


def test_drawing_never_ends_the_training(amp_cfg, tmp_path, snapshots, monkeypatch, caplog):
    runner = AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), str(tmp_path))
    runner.callbacks.append(snapshots)

    def full(iteration):
        raise OSError("the disk is full")

    monkeypatch.setattr(snapshots, "start", full)
    runner.learn(2)
    (record,) = caplog.records
    assert record.message == "the disk is full; this run draws no more pictures"
    assert (tmp_path / "model_1.pt").exists()


def test_callbacks_follow_the_training(amp_cfg, tmp_path):
    class Recorder:
        calls: ClassVar[list] = []

        def after_iteration(self, runner, iteration):
            self.calls.append(iteration)

        def after_training(self, runner):
            self.calls.append("end")

    runner = AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), str(tmp_path))
    runner.callbacks.append(Recorder())
    runner.learn(2)
    assert Recorder.calls == [0, 1, "end"]


def test_amps_charts_are_arranged_on_tensorboards_custom_scalars(amp_cfg, tmp_path):
    AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), str(tmp_path)).learn(1)
    (event,) = EventAccumulator(str(tmp_path)).Reload().Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    charts = {chart.title: list(chart.multiline.tag) for panel in layout.category for chart in panel.chart}
    assert [panel.title for panel in layout.category] == ["AMP", "Task"]
    assert charts["reward per step: style and task"] == ["AMP/style_reward", "AMP/task_reward"]
