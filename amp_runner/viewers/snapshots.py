"""Pictures of the policy during training: footfalls and a short film in TensorBoard, beside the curves.

At intervals the last seconds of the first environment are saved as a clip and drawn in a separate process, so that training
neither waits for the drawing nor fails with it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amp_runner.learning.runner import AMPOnPolicyRunner
from amp_runner.motions.clip import Motion, save_motion
from amp_runner.state import AMP_GROUP, AMPStateSpec

logger = logging.getLogger(__name__)

_MIN_SECONDS = 1.0  # younger episodes are not drawn
_MAX_SECONDS = 4.0
_TIMEOUT = 600.0  # [s] for a picture, at the end of training
_PICTURES = {"Snapshots/gait": ("draw_gait", ".png"), "Snapshots/film": ("draw_film", ".gif")}


@dataclass
class _Job:
    process: subprocess.Popen
    log: Path
    tag: str
    iteration: int
    file: Path


@dataclass
class PolicySnapshotLogger:
    """A :class:`~amp_runner.learning.logger.TrainingCallback` that draws the first environment's robot."""

    folder: Path
    """Folder of clips and pictures."""
    spec: AMPStateSpec
    """Layout of the AMP states."""
    dt: float
    """Time between two frames [s]."""
    robot: str
    """MJCF or URDF file of the robot."""
    interval: int
    """Iterations between two pictures."""
    _frames: torch.Tensor | None = None
    _jobs: list[_Job] = field(default_factory=list)
    _failed: set[str] = field(default_factory=set)
    """Tags of the pictures that cannot be drawn on this machine."""

    def after_iteration(self, runner: AMPOnPolicyRunner, iteration: int) -> None:
        """Add the last rollout; start a picture if one is due, and log those that are done."""
        storage = runner.alg.storage
        self.add(storage.observations[AMP_GROUP][:, 0], storage.dones[:, 0])
        is_due = (iteration + 1) % self.interval == 0
        self._draw(runner.logger.writer, iteration if is_due else None)

    def after_training(self, runner: AMPOnPolicyRunner) -> None:
        """Wait for the pictures that are being drawn, and log them."""
        self._draw(runner.logger.writer, None, wait=True)

    def _draw(self, writer: Any, iteration: int | None, wait: bool = False) -> None:
        """Start and log pictures. A kind of picture that fails is not drawn again: training never fails here."""
        if writer is None or self._failed == set(_PICTURES):
            return
        try:
            if iteration is not None:
                self.start(iteration)
            for failure in self.log(writer, wait):
                logger.warning("%s; this run draws no more of these", failure)
        except (ImportError, OSError, ValueError) as error:
            logger.warning("%s; this run draws no more pictures", error)
            self._failed = set(_PICTURES)

    def add(self, states: torch.Tensor, dones: torch.Tensor) -> None:
        """Add a rollout of one environment.

        Args:
            states: AMP states, (T, D).
            dones: whether the step after each state ended the episode, (T,).
        """
        ends = dones.flatten().bool().nonzero().flatten().tolist()
        states = states[:, : self.spec.dim].detach().cpu()
        if ends:
            self._frames, states = None, states[ends[-1] + 1 :]
        frames = states if self._frames is None else torch.cat([self._frames, states])
        self._frames = frames[-round(_MAX_SECONDS / self.dt) :].clone()

    def start(self, iteration: int) -> None:
        """Save the recorded frames and start to draw them, unless they are too few or pictures are being drawn."""
        if self._jobs or self._frames is None or len(self._frames) < _MIN_SECONDS / self.dt:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        clip = self.folder / f"iteration_{iteration}.npz"
        save_motion(
            Motion.with_spec(
                self.spec,
                path=str(clip),
                states=self._frames.numpy(),
                clip_lengths=np.array([len(self._frames)]),
                dt=self.dt,
                source=f"the policy after iteration {iteration}",
            )
        )
        for tag, (function, suffix) in _PICTURES.items():
            if tag in self._failed:
                continue
            out = clip.with_suffix(suffix)
            log = out.with_name(f"{out.name}.log")
            self._jobs.append(_Job(_start_drawing(function, clip, self.robot, out, log), log, tag, iteration, out))

    def log(self, writer: Any, wait: bool = False) -> list[str]:
        """Log finished pictures.

        Args:
            writer: PyTorch's SummaryWriter, or one of RSL-RL's.
            wait: wait for pictures that are still being drawn.

        Returns:
            One line for each picture that could not be drawn.
        """
        failures, remaining = [], []
        for job in self._jobs:
            if not wait and job.process.poll() is None:
                remaining.append(job)
                continue
            failure = _failure(job)
            if failure is None:
                job.log.unlink()
                _log_picture(writer, job.tag, job.file, job.iteration)
            else:
                self._failed.add(job.tag)
                failures.append(f"{job.file.name} could not be drawn: {failure}")
        self._jobs = remaining
        return failures


def _start_drawing(function: str, clip: Path, robot: str, out: Path, log: Path) -> subprocess.Popen:
    program = f"from amp_runner.viewers.clip_viewer import {function}; import sys; {function}(*sys.argv[1:])"
    if function == "draw_film":  # MuJoCo chooses its OpenGL library when it is imported, which clip_viewer does
        program = f"from amp_runner.viewers.rendering import prepare_to_draw; prepare_to_draw(); {program}"
    # One thread and no CUDA: training needs both more.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    with log.open("w") as file:
        command = [sys.executable, "-c", program, str(clip), robot, str(out)]
        return subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)


def _failure(job: _Job) -> str | None:
    """Wait for a picture; returns why it could not be drawn, or None."""
    try:
        if job.process.wait(timeout=_TIMEOUT) == 0:
            return None
    except subprocess.TimeoutExpired:
        job.process.kill()
        return f"it took more than {_TIMEOUT:g} s"
    return (job.log.read_text().strip().splitlines() or [f"exit status {job.process.returncode}"])[-1]


def _log_picture(writer: Any, tag: str, file: Path, iteration: int) -> None:
    """Log an encoded picture unchanged; SummaryWriter's own methods would split a film into frames."""
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[attr-defined]

    with Image.open(file) as picture:
        width, height = picture.size
    image = Summary.Image(encoded_image_string=file.read_bytes(), width=width, height=height, colorspace=3)
    if hasattr(writer, "file_writer"):
        writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), iteration)
    if hasattr(writer, "save_file"):  # RSL-RL's writers for services
        writer.save_file(str(file))
