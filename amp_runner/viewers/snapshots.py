"""Pictures of the policy in training: footfalls and a short film in TensorBoard, beside the curves.

Every so often the last seconds of the first environment are saved as a clip, and drawn by ``amp-motion`` in a process of its
own, so that training neither waits for it nor fails with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amp_runner.motions.clip import Motion, save_motion
from amp_runner.state import AMPStateSpec

_SHORTEST = 1.0  # [s]; younger episodes are not worth a picture
_LONGEST = 4.0  # [s]
_PATIENCE = 120.0  # [s] for a picture, at the end of training
_DRAWINGS = {"Watch/gait": ("plot", ".png"), "Watch/film": ("view", ".gif")}


@dataclass
class _Job:
    process: subprocess.Popen
    log: Path
    tag: str
    iteration: int
    file: Path


@dataclass
class PolicySnapshotLogger:
    """Keeps the last seconds of one environment and has them drawn."""

    folder: Path
    """Where clips and pictures are written."""
    spec: AMPStateSpec
    dt: float
    """Time between two frames [s]."""
    robot: str
    """MJCF or URDF file of the robot."""
    interval: int
    """Iterations between two pictures."""
    _frames: torch.Tensor | None = None
    _jobs: list[_Job] = field(default_factory=list)

    def add(self, states: torch.Tensor, dones: torch.Tensor) -> None:
        """Add a rollout of the environment: AMP states (T, D), and whether the step after each ended the episode (T,)."""
        ends = dones.flatten().bool().nonzero().flatten().tolist()
        states = states[:, : self.spec.dim].detach().cpu()
        if ends:
            self._frames, states = None, states[ends[-1] + 1 :]
        frames = states if self._frames is None else torch.cat([self._frames, states])
        self._frames = frames[-round(_LONGEST / self.dt) :].clone()

    def start(self, iteration: int) -> None:
        """Save what there is and begin to draw it; too little, or one too many, is left for the next time."""
        if self._jobs or self._frames is None or len(self._frames) < _SHORTEST / self.dt:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        clip = self.folder / f"iteration_{iteration}.npz"
        save_motion(
            Motion(
                path=str(clip),
                states=self._frames.numpy(),
                clip_lengths=np.array([len(self._frames)]),
                dt=self.dt,
                joint_names=self.spec.joint_names,
                layout=self.spec.layout,
                velocity_frame=self.spec.velocity_frame,
                source=f"the policy after iteration {iteration}",
            )
        )
        for tag, (verb, suffix) in _DRAWINGS.items():
            out = clip.with_suffix(suffix)
            log = out.with_name(f"{out.name}.log")
            self._jobs.append(_Job(self._draw(verb, clip, out, log), log, tag, iteration, out))

    def _draw(self, verb: str, clip: Path, out: Path, log: Path) -> subprocess.Popen:
        option = "--out" if verb == "plot" else "--video"
        command = [sys.executable, "-m", "amp_runner.cli.motion", verb, str(clip), "--robot", self.robot, option, str(out)]
        # One thread and no CUDA: the drawing is nobody's priority.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        with log.open("w") as file:
            return subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)

    def show(self, writer: Any, wait: bool = False) -> list[str]:
        """Hand finished pictures to TensorBoard.

        Args:
            writer: PyTorch's SummaryWriter, or one of RSL-RL's.
            wait: whether to wait for those that are being drawn.

        Returns:
            What went wrong, a line for each picture that could not be drawn.
        """
        failures, left = [], []
        for job in self._jobs:
            if not wait and job.process.poll() is None:
                left.append(job)
                continue
            try:
                failed = job.process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                job.process.kill()
                failed = True
            if failed:
                reason = (job.log.read_text().strip().splitlines() or ["no reason given"])[-1]
                failures.append(f"{job.file.name} could not be drawn: {reason}")
                continue
            job.log.unlink()
            _add_picture(writer, job.tag, job.file, job.iteration)
        self._jobs = left
        return failures


def _add_picture(writer: Any, tag: str, file: Path, iteration: int) -> None:
    """Add a picture as it is: SummaryWriter's own methods would take a film apart."""
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary

    with Image.open(file) as picture:
        width, height = picture.size
    image = Summary.Image(encoded_image_string=file.read_bytes(), width=width, height=height, colorspace=3)
    if hasattr(writer, "file_writer"):
        writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), iteration)
    if hasattr(writer, "save_file"):  # RSL-RL's writers for services
        writer.save_file(str(file))
