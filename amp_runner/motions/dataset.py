"""MotionDataset: expert windows from clip files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from amp_runner.errors import MotionError
from amp_runner.motions.clip import SPEC_FIELDS, Motion, load_motion
from amp_runner.motions.edit import resample_motion
from amp_runner.state import AMPStateSpec

logger = logging.getLogger(__name__)

_DT_TOLERANCE = 1e-6  # [s]; clips store dt as a float, which may have been a float32


class MotionDataset:
    """Reference motions as windows of consecutive frames, sampled with weights.

    A window never crosses from one clip into another. Entries (a file, or a folder of files) are drawn with probability
    proportional to their weights; within an entry every window is equally likely.
    """

    def __init__(
        self,
        entries: Sequence[tuple[Sequence[Motion], float]],
        num_frames: int,
        device: str | torch.device = "cpu",
        with_commands: bool = False,
    ) -> None:
        """Lay the clips out for sampling.

        Args:
            entries: groups of motions, each group with its weight.
            num_frames: K, the frames of a window.
            device: where the frames are kept.
            with_commands: append the command (vx, vy, yaw rate) to each frame.

        Raises:
            MotionError: a clip is shorter than a window, the layouts of two clips differ, or a command is unknown.
        """
        motions = [motion for group, _ in entries for motion in group]
        _check_common_layout(motions)
        self.num_frames = num_frames
        frames = [np.hstack([m.states, m.frame_commands()]) if with_commands else m.states for m in motions]
        self.dim = frames[0].shape[1]
        """D, numbers in a frame."""
        self.dt = _first_known_dt(motions)
        """Time between two frames [s]; None if no file stores it."""
        self.hashes = {motion.path: motion.sha256 for motion in motions}
        """SHA-256 of every file."""
        starts, offset = [], 0
        for group, _ in entries:
            group_starts = []
            for motion in group:
                group_starts.append(offset + _window_starts(motion, num_frames))
                offset += len(motion.states)
            starts.append(np.concatenate(group_starts))
        counts = [len(s) for s in starts]
        self.frames = torch.from_numpy(np.concatenate(frames)).to(device)
        """All frames, shape (F, D)."""
        self._starts = torch.from_numpy(np.concatenate(starts)).to(device)
        self._counts = torch.tensor(counts, device=device)
        self._bases = torch.tensor(np.cumsum([0, *counts[:-1]]), device=device)
        weights = torch.tensor([weight for _, weight in entries], dtype=torch.float64, device=device)
        self._weights = weights / weights.max()  # the sum of large ones would be infinite
        self._window = torch.arange(num_frames, device=device)

    @classmethod
    def load(
        cls,
        entries: Sequence[tuple[str | Path, float]],
        num_frames: int,
        *,
        dim: int | None = None,
        step_dt: float | None = None,
        spec: AMPStateSpec | None = None,
        resample: bool = False,
        with_commands: bool = False,
        device: str | torch.device = "cpu",
    ) -> MotionDataset:
        """Read clip files and check that they fit the environment.

        Args:
            entries: (path, weight) pairs; a path is an .npz file or a folder of them.
            num_frames: K, the frames of a window.
            dim: the environment's AMP dimension, if known.
            step_dt: the environment's time step [s]; None: the first known dt of the clips is required of all.
            spec: the environment's AMP layout, if known.
            resample: resample clips with another dt instead of rejecting them.
            with_commands: append the command to each frame; ``dim`` and ``spec`` exclude it.
            device: where the frames are kept.

        Raises:
            MotionError: a file cannot be read or does not fit.
        """
        groups = [([load_motion(file) for file in _clip_files(path)], weight) for path, weight in entries]
        motions = [motion for group, _ in groups for motion in group]
        for motion in motions:
            check_fit(motion, dim=dim, spec=spec)
        if spec is None and motions[0].describes_layout:
            logger.warning(
                "the environment does not declare the layout of its AMP states, so that of %s is assumed: %s; joints %s. "
                "Declare it with env.amp_spec = AMPStateSpec(joint_names, ...), and clips will be checked against it",
                motions[0].path,
                ", ".join(motions[0].layout or ()),
                ", ".join(motions[0].joint_names or ()),
            )
        step_dt = step_dt or _first_known_dt(motions)
        groups = [([at_step_dt(motion, step_dt, resample) for motion in group], weight) for group, weight in groups]
        return cls(groups, num_frames, device, with_commands)

    @property
    def num_windows(self) -> int:
        """Number of distinct windows."""
        return len(self._starts)

    def sample(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw expert windows with replacement.

        Args:
            count: B, number of windows.
            generator: random generator on the dataset's device.

        Returns:
            Windows, shape (B, K, D).
        """
        device = self.frames.device
        entry = torch.multinomial(self._weights, count, replacement=True, generator=generator)
        fraction = torch.rand(count, generator=generator, device=device, dtype=torch.float64)
        index = self._bases[entry] + (fraction * self._counts[entry]).long()
        return self.frames[self._starts[index].unsqueeze(1) + self._window]


def common_spec(entries: Sequence[tuple[str | Path, float]]) -> AMPStateSpec:
    """Return the layout of the AMP states of clip files, from the first of them.

    Args:
        entries: (path, weight) pairs; a path is an .npz file or a folder of them.

    Raises:
        MotionError: it cannot be read, or does not describe its layout.
    """
    return load_motion(_clip_files(entries[0][0])[0]).spec


def check_fit(motion: Motion, *, dim: int | None = None, spec: AMPStateSpec | None = None) -> None:
    """Check a clip's layout against the environment's; what the file does not store is assumed to match.

    Raises:
        MotionError: they differ; the message gives the file, the difference and what to do.
    """
    path, found_dim = motion.path, motion.states.shape[1]
    if spec is not None:
        if motion.velocity_frame is None:
            logger.warning("%s has no 'velocity_frame'; assuming the environment's, %s", path, spec.velocity_frame)
        _check_same(path, "joint_names", motion.joint_names, spec.joint_names, "reorder its joint columns by name")
        _check_same(path, "layout", motion.layout, spec.layout, "convert it, or change the environment's 'amp' group")
        _check_same(
            path,
            "velocity_frame",
            motion.velocity_frame,
            spec.velocity_frame,
            "convert its velocities, or set the environment's velocity_frame",
        )
        for name in ("key_bodies", "feet"):
            _check_same(path, name, getattr(motion, name), getattr(spec, name), "name the same bodies, in the same order")
        dim = spec.dim if dim is None else dim
    if dim is not None and found_dim != dim:
        raise MotionError(
            f"{path}: 'amp_states' has {found_dim} numbers a frame; the environment's 'amp' group has {dim}: record the "
            "clip with the same AMP state as the environment's"
        )


def _check_same(path: str, name: str, found: object, expected: object, advice: str) -> None:
    if found is not None and found != expected:
        show = [", ".join(v) if isinstance(v, tuple) else str(v) for v in (found, expected)]
        raise MotionError(f"{path}: {name} is [{show[0]}]; the environment has [{show[1]}]: {advice}")


def _clip_files(path: str | Path) -> list[Path]:
    path = Path(path)
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.npz"))
    if not files:
        raise MotionError(f"{path}: the folder holds no .npz file; expected clip files in it")
    return files


def _first_known_dt(motions: Sequence[Motion]) -> float | None:
    return next((motion.dt for motion in motions if motion.dt is not None), None)


def at_step_dt(motion: Motion, step_dt: float | None, resample: bool) -> Motion:
    """Return the motion at a time step [s]; a motion without 'dt' is assumed to have it.

    Raises:
        MotionError: its dt differs and ``resample`` is off.
    """
    if motion.dt is None:
        assumed = f"{step_dt:g} s, as in the environment" if step_dt else "the environment's time step"
        logger.warning("%s has no 'dt'; assuming %s", motion.path, assumed)
        return replace(motion, dt=step_dt)
    if step_dt is None:
        return motion
    if abs(motion.dt - step_dt) < _DT_TOLERANCE:
        return replace(motion, dt=step_dt)
    if resample:
        return resample_motion(motion, step_dt)
    raise MotionError(
        f"{motion.path}: its dt is {motion.dt:g} s; the environment's time step is {step_dt:g} s: set resample_motions=True "
        "in amp_cfg (agent.algorithm.amp_cfg.resample_motions=true on the command line), or use amp-motion resample"
    )


def _check_common_layout(motions: Sequence[Motion]) -> None:
    first = motions[0]
    for motion in motions:
        if motion.states.shape[1] != first.states.shape[1]:
            raise MotionError(
                f"{motion.path}: {motion.states.shape[1]} numbers a frame, but {first.path} has "
                f"{first.states.shape[1]}: motions of one run must have the same AMP state"
            )
        for name in SPEC_FIELDS:
            found, expected = getattr(motion, name), getattr(first, name)
            if found is not None and expected is not None and found != expected:
                raise MotionError(
                    f"{motion.path}: {name} is {found}; {first.path} has {expected}: motions of one run must have the same "
                    "AMP state"
                )


def _window_starts(motion: Motion, num_frames: int) -> np.ndarray:
    """First frames of all windows of a file, shape (W,)."""
    shortest = int(motion.clip_lengths.min())
    if shortest < num_frames:
        raise MotionError(
            f"{motion.path}: a clip has {shortest} frames; a window needs {num_frames}: remove the clip or lower "
            "amp_cfg.num_frames"
        )
    ends = np.cumsum(motion.clip_lengths)
    return np.concatenate([np.arange(end - length, end - num_frames + 1) for end, length in zip(ends, motion.clip_lengths)])
