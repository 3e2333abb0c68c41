"""Editing of motions: resample, mirror, cut, concatenate. Every function returns a new motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.clip import SPEC_FIELDS, Motion
from amp_runner.state import AMPStateSpec
from amp_runner.state.sides import COMMAND_SIGNS

SHORTEST_DT = 1e-4
"""Shortest time step of a motion [s]."""
_SHORTEST_VECTOR = 0.05
"""Orientations shorter than this have no direction."""


def resample_motion(motion: Motion, dt: float) -> Motion:
    """Resample to another time step: orientations spherically, everything else linearly.

    Raises:
        MotionError: the dt is unknown or ``dt`` is no time step of a motion, or an orientation is not a unit vector.
    """
    motion_dt = motion.known_dt
    if not SHORTEST_DT <= dt <= 1.0:
        raise MotionError(f"{motion.path}: cannot be resampled to {dt:g} s; expected {SHORTEST_DT:g} to 1")
    unit_vectors = _unit_vectors(motion)
    for columns in unit_vectors:
        lengths = np.linalg.norm(motion.states[:, columns], axis=1)
        if (lengths < _SHORTEST_VECTOR).any():
            frame = int(lengths.argmin())
            raise MotionError(
                f"{motion.path}: columns {columns.start} to {columns.stop - 1} of frame {frame} have the length "
                f"{lengths[frame]:.2g}; expected a unit vector: cut or repair that frame"
            )
    states, commands, lengths = [], [], []
    splits = np.cumsum(motion.clip_lengths)[:-1]
    clip_commands = [None] * len(motion.clip_lengths) if motion.commands is None else np.split(motion.commands, splits)
    for clip, command in zip(motion.clips(), clip_commands):
        times = np.arange(int(np.floor((len(clip) - 1) * motion_dt / dt + 1e-9)) + 1) * (dt / motion_dt)
        resampled = _interpolate(clip, times)
        for columns in unit_vectors:
            resampled[:, columns] = _interpolate_on_sphere(clip[:, columns], times)
        states.append(resampled)
        lengths.append(len(times))
        if command is not None:
            commands.append(_interpolate(command, times))
    return replace(
        motion,
        states=np.concatenate(states),
        commands=np.concatenate(commands) if commands else None,
        clip_lengths=np.array(lengths),
        dt=dt,
    )


def mirror_motion(motion: Motion, permutation: Sequence[int], signs: Sequence[float]) -> Motion:
    """Mirror a motion and its commands.

    Args:
        motion: the motion.
        permutation: source column of each column, (D,), as :meth:`AMPStateSpec.mirror` or
            :func:`~amp_runner.motions.robot_mirror.mirror_of_model` computes it.
        signs: sign of each column, (D,).
    """
    commands = None if motion.commands is None else motion.commands * np.array(COMMAND_SIGNS, dtype=np.float32)
    states = motion.states[:, permutation] * np.array(signs, dtype=np.float32)
    return replace(motion, states=states, commands=commands)


def cut_motion(motion: Motion, start: float = 0.0, end: float | None = None, clips: Sequence[int] | None = None) -> Motion:
    """Keep some clips, and of each the part between two times.

    Args:
        motion: the motion.
        start: start of the part [s].
        end: end of the part [s]; None: that of the clip.
        clips: indices of the clips to keep; None: all.

    Raises:
        MotionError: the dt is unknown, the times are no part of a clip, a clip does not exist, or no frame remains.
    """
    motion_dt = motion.known_dt
    if not 0 <= start < np.inf or (end is not None and not start < end < np.inf):
        raise MotionError(f"{motion.path}: a part from {start:g} to {end} s; expected 0 or more, and an end after the start")
    count = len(motion.clip_lengths)
    chosen = range(count) if clips is None else clips
    for clip in chosen:
        if not 0 <= clip < count:
            raise MotionError(f"{motion.path}: no clip {clip}; it has clips 0 to {count - 1}")
    firsts = np.cumsum([0, *motion.clip_lengths[:-1]])
    from_frame, to_frame = round(start / motion_dt), None if end is None else round(end / motion_dt)
    parts = [np.arange(firsts[c], firsts[c] + motion.clip_lengths[c])[from_frame:to_frame] for c in chosen]
    parts = [part for part in parts if len(part)]
    if not parts:
        raise MotionError(f"{motion.path}: no frame between {start:g} s and {'its end' if end is None else f'{end:g} s'}")
    frames = np.concatenate(parts)
    return replace(
        motion,
        states=motion.states[frames],
        commands=None if motion.commands is None else motion.commands[frames],
        clip_lengths=np.array([len(part) for part in parts]),
    )


def concat_motions(motions: Sequence[Motion]) -> Motion:
    """Concatenate motions of the same layout and time step; clips stay separate.

    Raises:
        MotionError: two motions differ in layout or time step.
    """
    first = motions[0]
    for motion in motions[1:]:
        for name in ("dt", *SPEC_FIELDS):
            found, expected = getattr(motion, name), getattr(first, name)
            if found != expected:
                raise MotionError(
                    f"{motion.path}: {name} is {found}; {first.path} has {expected}: convert one of them first"
                )
        if motion.states.shape[1] != first.states.shape[1]:
            raise MotionError(
                f"{motion.path}: {motion.states.shape[1]} numbers a frame; {first.path} has {first.states.shape[1]}"
            )
    commands = [motion.commands for motion in motions if motion.commands is not None]
    return replace(
        first,
        states=np.concatenate([motion.states for motion in motions]),
        commands=np.concatenate(commands) if len(commands) == len(motions) else None,
        clip_lengths=np.concatenate([motion.clip_lengths for motion in motions]),
        source=" + ".join(dict.fromkeys(motion.source for motion in motions if motion.source)),
        licence=", ".join(dict.fromkeys(motion.licence for motion in motions if motion.licence)),
    )


def with_layout(motion: Motion, spec: AMPStateSpec) -> Motion:
    """Return a motion with other features: those of its own, in another order, or projected gravity from its orientation.

    Args:
        motion: a motion that describes its layout.
        spec: the layout, with joints, key bodies and feet of the motion.

    Raises:
        MotionError: the motion lacks a feature or a name, or its velocities are in another frame.
    """
    own = motion.spec
    if own == spec:
        return motion
    if own.velocity_frame != spec.velocity_frame:
        raise MotionError(f"{motion.path}: velocity_frame is {own.velocity_frame}; expected {spec.velocity_frame}")
    columns = {name: index for index, name in enumerate(own.columns)}
    states = []
    for feature, slots in spec.features.items():
        names = spec.columns[slots]
        missing = [name for name in names if name not in columns]
        if not missing:
            states.append(motion.states[:, [columns[name] for name in names]])
        elif feature == "projected_gravity" and "root_quat_xyzw" in own.features:
            x, y, z, w = motion.states[:, own.features["root_quat_xyzw"]].T
            states.append(np.stack([2 * (w * y - x * z), -2 * (y * z + w * x), 2 * (x * x + y * y) - 1], axis=1))
        else:
            raise MotionError(f"{motion.path}: has no {missing[0]}; it has the features {', '.join(own.layout)}")
    return Motion.with_spec(
        spec,
        motion.path,
        np.concatenate(states, axis=1).astype(np.float32),
        motion.clip_lengths,
        dt=motion.dt,
        commands=motion.commands,
        source=motion.source,
        licence=motion.licence,
        sha256=motion.sha256,
    )


def _interpolate(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Interpolate values (T, n) linearly at times in frames."""
    low, high, fraction = _neighbours(len(values), times)
    return (values[low] * (1 - fraction) + values[high] * fraction).astype(np.float32)


def _interpolate_on_sphere(vectors: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Interpolate unit vectors (T, n) along great circles at times in frames; quaternions take the shorter arc, w >= 0."""
    low, high, fraction = _neighbours(len(vectors), times)
    units = vectors / np.linalg.norm(vectors.astype(float), axis=1, keepdims=True)
    src, dst = units[low], units[high]
    is_quaternion = vectors.shape[1] == 4
    if is_quaternion:
        dst = np.where((src * dst).sum(axis=1, keepdims=True) < 0, -dst, dst)
    angle = np.arccos(np.clip((src * dst).sum(axis=1, keepdims=True), -1, 1))
    # sin((1 - f) a) / sin(a) tends to 1 - f for equal vectors.
    sine = np.where(angle < 1e-6, 1.0, np.sin(angle))
    weights = [np.where(angle < 1e-6, f, np.sin(f * angle) / sine) for f in (1 - fraction, fraction)]
    between = weights[0] * src + weights[1] * dst
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    return np.where(between[:, 3:] < 0, -between, between) if is_quaternion else between


def _neighbours(count: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low = np.minimum(np.floor(times).astype(int), count - 1)
    return low, np.minimum(low + 1, count - 1), (times - low)[:, None]


def _unit_vectors(motion: Motion) -> list[slice]:
    """Columns that hold a unit vector; empty if the file does not describe its layout."""
    if not motion.describes_layout:
        return []
    features = motion.spec.features
    vectors = [features[name] for name in ("projected_gravity", "root_quat_xyzw") if name in features]
    if "root_tangent_normal" in features:
        start = features["root_tangent_normal"].start
        vectors += [slice(start, start + 3), slice(start + 3, start + 6)]
    return vectors
