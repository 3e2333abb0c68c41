"""Changing motions: resample, mirror, cut, join. Every function returns a new motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from amp_runner.errors import ConfigError, MotionError
from amp_runner.learning.config import MirrorCfg
from amp_runner.mirror import Mirror
from amp_runner.motions.clip import Motion
from amp_runner.state import AMPStateSpec


def motion_spec(motion: Motion) -> AMPStateSpec:
    """The layout of a motion that says it.

    Raises:
        MotionError: it does not say it, or its numbers do not fit it.
    """
    if motion.layout is None or motion.joint_names is None:
        raise MotionError(
            f"{motion.path}: does not say what its numbers are; expected 'layout' and 'joint_names' in the file: add them "
            "(numpy.savez), or record it with amp-record"
        )
    orientation = "quaternion" if "root_quat_xyzw" in motion.layout else "gravity"
    try:
        spec = AMPStateSpec(motion.joint_names, orientation, motion.velocity_frame or "heading")
    except ConfigError as error:
        raise MotionError(f"{motion.path}: {error}") from None
    if motion.layout != spec.layout or motion.states.shape[1] != spec.dim:
        raise MotionError(
            f"{motion.path}: layout is [{', '.join(motion.layout)}] with {motion.states.shape[1]} numbers; expected "
            f"[{', '.join(spec.layout)}] with {spec.dim}"
        )
    return spec


def motion_commands(motion: Motion) -> np.ndarray:
    """The command of every frame (vx, vy, yaw rate), shape (T, 3): what the file says, else each clip's mean velocity.

    Raises:
        MotionError: the file says neither the commands nor where the velocities are, or they are in the world frame.
    """
    if motion.commands is not None:
        return motion.commands
    if motion.layout is None or motion.joint_names is None or motion.velocity_frame not in ("heading", "body"):
        raise MotionError(
            f"{motion.path}: its commands are not known: expected 'commands', (T, 3), or 'layout', 'joint_names' and a "
            "'velocity_frame' heading or body to take mean velocities from; add one of them to the file"
        )
    features = motion_spec(motion).features
    linear, angular = features["root_lin_vel"].start, features["root_ang_vel"].start
    means = [clip[:, [linear, linear + 1, angular + 2]].mean(axis=0) for clip in motion.clips()]
    return np.repeat(np.stack(means), motion.clip_lengths, axis=0)


def resample_motion(motion: Motion, dt: float) -> Motion:
    """Resample to another time step: orientations spherically, everything else linearly.

    Raises:
        MotionError: the motion does not say its dt, or its orientations are none.
    """
    if motion.dt is None:
        raise MotionError(f"{motion.path}: has no 'dt'; it cannot be resampled to {dt} s: store its dt in the file")
    unit_vectors = _unit_vectors(motion)
    for columns in unit_vectors:
        lengths = np.linalg.norm(motion.states[:, columns], axis=1)
        if (lengths < 0.5).any():
            frame = int(lengths.argmin())
            raise MotionError(
                f"{motion.path}: columns {columns.start} to {columns.stop - 1} of frame {frame} have the length "
                f"{lengths[frame]:.2g}; expected a unit vector: cut or repair that frame"
            )
    states, commands, lengths = [], [], []
    splits = np.cumsum(motion.clip_lengths)[:-1]
    clip_commands = [None] * len(motion.clip_lengths) if motion.commands is None else np.split(motion.commands, splits)
    for clip, command in zip(motion.clips(), clip_commands):
        times = np.arange(int(np.floor((len(clip) - 1) * motion.dt / dt + 1e-9)) + 1) * (dt / motion.dt)
        resampled = _at(clip, times)
        for columns in unit_vectors:
            resampled[:, columns] = _at_on_sphere(clip[:, columns], times)
        states.append(resampled)
        lengths.append(len(times))
        if command is not None:
            commands.append(_at(command, times))
    return replace(
        motion,
        states=np.concatenate(states),
        commands=np.concatenate(commands) if commands else None,
        clip_lengths=np.array(lengths),
        dt=dt,
    )


def mirror_motion(motion: Motion, flipped: str, sides: tuple[str, str] = ("left", "right")) -> Motion:
    """The motion of the mirrored robot, its commands mirrored as well; see :meth:`AMPStateSpec.mirror`.

    Raises:
        ConfigError: a joint has no partner.
        MotionError: the motion does not say its layout.
    """
    spec = motion_spec(motion)
    permutation, signs = spec.mirror(flipped, sides)
    frames = motion.states if motion.commands is None else np.hstack([motion.states, motion.commands])
    mirror = Mirror(MirrorCfg(permutation, signs), frames.shape[1], with_command=motion.commands is not None)
    mirrored = mirror(torch.from_numpy(frames)).numpy()
    commands = None if motion.commands is None else mirrored[:, spec.dim :]
    return replace(motion, states=mirrored[:, : spec.dim], commands=commands)


def cut_motion(motion: Motion, start: float = 0.0, end: float | None = None, clips: Sequence[int] | None = None) -> Motion:
    """Keep some clips, and of each the part between two times.

    Args:
        motion: what to cut.
        start: beginning of the part [s].
        end: end of the part [s], None: the clip's.
        clips: indices of the clips to keep, None: all.

    Raises:
        MotionError: the motion does not say its dt, a clip is not there, or nothing is left.
    """
    if motion.dt is None:
        raise MotionError(f"{motion.path}: has no 'dt'; it cannot be cut by time: store its dt in the file")
    count = len(motion.clip_lengths)
    chosen = range(count) if clips is None else clips
    for clip in chosen:
        if not 0 <= clip < count:
            raise MotionError(f"{motion.path}: no clip {clip}; it has clips 0 to {count - 1}")
    firsts = np.cumsum([0, *motion.clip_lengths[:-1]])
    from_frame, to_frame = round(start / motion.dt), None if end is None else round(end / motion.dt)
    parts = [np.arange(firsts[c], firsts[c] + motion.clip_lengths[c])[from_frame:to_frame] for c in chosen]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise MotionError(
            f"{motion.path}: nothing is left between {start:g} s and {'its end' if end is None else f'{end:g} s'}"
        )
    frames = np.concatenate(parts)
    return replace(
        motion,
        states=motion.states[frames],
        commands=None if motion.commands is None else motion.commands[frames],
        clip_lengths=np.array([len(part) for part in parts]),
    )


def concat_motions(motions: Sequence[Motion]) -> Motion:
    """Join motions of the same layout and time step; each keeps its clips.

    Raises:
        MotionError: two motions differ in what they must share.
    """
    first = motions[0]
    for motion in motions[1:]:
        for name in ("dt", "joint_names", "layout", "velocity_frame"):
            here, there = getattr(motion, name), getattr(first, name)
            if here != there:
                raise MotionError(f"{motion.path}: {name} is {here}; {first.path} has {there}: convert one of them first")
        if motion.states.shape[1] != first.states.shape[1]:
            raise MotionError(
                f"{motion.path}: {motion.states.shape[1]} numbers a frame; {first.path} has {first.states.shape[1]}"
            )
    with_commands = all(motion.commands is not None for motion in motions)
    return replace(
        first,
        states=np.concatenate([motion.states for motion in motions]),
        commands=np.concatenate([motion.commands for motion in motions]) if with_commands else None,
        clip_lengths=np.concatenate([motion.clip_lengths for motion in motions]),
        source=" + ".join(dict.fromkeys(motion.source for motion in motions if motion.source)),
        licence=", ".join(dict.fromkeys(motion.licence for motion in motions if motion.licence)),
    )


def _at(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values (T, n) at times in frames, by linear interpolation."""
    low, high, fraction = _neighbours(len(values), times)
    return (values[low] * (1 - fraction) + values[high] * fraction).astype(np.float32)


def _at_on_sphere(vectors: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Unit vectors (T, n) at times in frames, along great circles; quaternions take the shorter way and keep w >= 0."""
    low, high, fraction = _neighbours(len(vectors), times)
    here, there = vectors[low].astype(float), vectors[high].astype(float)
    is_quaternion = vectors.shape[1] == 4
    if is_quaternion:
        there = np.where((here * there).sum(axis=1, keepdims=True) < 0, -there, there)
    angle = np.arccos(np.clip((here * there).sum(axis=1, keepdims=True), -1, 1))
    # sin((1 - f) a) / sin(a) tends to 1 - f where the two are the same.
    sine = np.where(angle < 1e-6, 1.0, np.sin(angle))
    weights = [np.where(angle < 1e-6, f, np.sin(f * angle) / sine) for f in (1 - fraction, fraction)]
    between = weights[0] * here + weights[1] * there
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    return np.where(between[:, 3:] < 0, -between, between) if is_quaternion else between


def _neighbours(count: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low = np.minimum(np.floor(times).astype(int), count - 1)
    return low, np.minimum(low + 1, count - 1), (times - low)[:, None]


def _unit_vectors(motion: Motion) -> list[slice]:
    """Columns that hold a unit vector, as far as the clip says."""
    if motion.layout is None or motion.joint_names is None:
        return []
    features = motion_spec(motion).features
    return [features[name] for name in ("projected_gravity", "root_quat_xyzw") if name in features]
