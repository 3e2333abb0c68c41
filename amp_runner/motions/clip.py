"""Clip files: one ``.npz`` with AMP states and a description of them.

    amp_states      (T, D) floating point    required
    dt              seconds                  optional
    clip_lengths    (C,) whole numbers       optional; several clips one after the other
    joint_names     (J,) strings             optional
    layout          (F,) strings             optional; names of the features, in order
    velocity_frame  string                   optional; heading, world or body
    key_bodies      (B,) strings             optional; bodies of key_body_pos and key_body_vel
    feet            (F,) strings             optional; feet of foot_contact
    commands        (T, 3)                   optional; vx, vy [m/s] and yaw rate [rad/s] that the motion follows
    source, licence strings                  optional
    format_version  whole number             optional

Files are untrusted: nothing is unpickled, and the unpacked size is limited before anything is unpacked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from amp_runner.errors import ConfigError, MotionError
from amp_runner.files import atomic_write
from amp_runner.motions.clip_check import (
    FORMAT_VERSION,
    check_clip_lengths,
    check_dt,
    check_numbers,
    check_states,
    check_version,
    read_string,
    read_strings,
)
from amp_runner.motions.npz import read_bytes, unpack_npz
from amp_runner.state import AMPStateSpec

SPEC_FIELDS = ("joint_names", "layout", "velocity_frame", "key_bodies", "feet")
"""Fields of a motion that describe its columns, named as in :class:`~amp_runner.AMPStateSpec`."""
COMMAND_WINDOW = 1.0
"""Time over which velocities are averaged to the command of a frame [s]: about one stride of a walk."""


@dataclass(frozen=True)
class Motion:
    """The contents of one clip file."""

    path: str
    states: np.ndarray
    """AMP states, shape (T, D), float32."""
    clip_lengths: np.ndarray
    """Frames of each clip, shape (C,); sums to T."""
    dt: float | None = None
    """Time between two frames [s]."""
    joint_names: tuple[str, ...] | None = None
    """Joints, in the order of the joint features."""
    layout: tuple[str, ...] | None = None
    """Names of the features, in order."""
    velocity_frame: str | None = None
    """Frame of the root's velocities: heading, world or body."""
    commands: np.ndarray | None = None
    """Commands, shape (T, 3), float32 [m/s, m/s, rad/s]."""
    source: str = ""
    licence: str = ""
    sha256: str = ""
    """Hash of the file."""
    key_bodies: tuple[str, ...] | None = None
    """Bodies of ``key_body_pos`` and ``key_body_vel``, in order."""
    feet: tuple[str, ...] | None = None
    """Feet of ``foot_contact``, in order."""

    @classmethod
    def with_spec(cls, spec: AMPStateSpec, path: str, states: np.ndarray, clip_lengths: np.ndarray, **rest: Any) -> Motion:
        """Create a motion whose states have the layout ``spec``; ``rest`` are its other fields."""
        return cls(path, states, clip_lengths, **{name: getattr(spec, name) or None for name in SPEC_FIELDS}, **rest)

    @property
    def known_dt(self) -> float:
        """Time between two frames [s].

        Raises:
            MotionError: the file does not store it.
        """
        if self.dt is None:
            raise MotionError(f"{self.path}: has no 'dt', which is needed here: store it in the file, in seconds")
        return self.dt

    def clips(self) -> list[np.ndarray]:
        """Return the states of each clip, shapes (T_c, D)."""
        return np.split(self.states, np.cumsum(self.clip_lengths)[:-1])

    def clip_commands(self) -> np.ndarray:
        """Return the command at the start of each clip, shape (C, 3); for motions that have commands."""
        assert self.commands is not None
        return self.commands[np.cumsum([0, *self.clip_lengths[:-1]])]

    @property
    def describes_layout(self) -> bool:
        """Whether the file describes the columns of its states."""
        return self.layout is not None and self.joint_names is not None

    @cached_property
    def spec(self) -> AMPStateSpec:
        """Layout of the states.

        Raises:
            MotionError: the file does not describe it, or its states do not fit it.
        """
        if self.layout is None or self.joint_names is None:
            raise MotionError(
                f"{self.path}: does not describe its columns; expected 'layout' and 'joint_names' in the file: add them "
                "(numpy.savez), or record it with amp-record"
            )
        bodies = self.key_bodies or self._unnamed_bodies()
        frame: Any = self.velocity_frame or "heading"
        try:
            spec = AMPStateSpec(self.joint_names, None, frame, self.layout, bodies, self.feet or ())
        except ConfigError as error:
            raise MotionError(f"{self.path}: {error}") from None
        if self.states.shape[1] != spec.dim:
            raise MotionError(
                f"{self.path}: layout is [{', '.join(self.layout)}] with {len(spec.joint_names)} joints, {len(bodies)} key "
                f"bodies and {len(spec.feet)} feet, which are {spec.dim} numbers; 'amp_states' has {self.states.shape[1]}"
            )
        return spec

    def _unnamed_bodies(self) -> tuple[str, ...]:
        """Names for the key bodies of a file that has columns but no names for them; the rest leaves their number."""
        assert self.layout is not None and self.joint_names is not None
        wanted = [name for name in self.layout if name.startswith("key_body")]
        rest = tuple(name for name in self.layout if name not in wanted)
        if not wanted or not rest:
            return ()
        try:
            known = AMPStateSpec(self.joint_names, layout=rest, feet=self.feet or ()).dim
        except ConfigError:
            return ()
        return tuple(f"key_body_{i}" for i in range((self.states.shape[1] - known) // (3 * len(wanted))))

    def frame_commands(self) -> np.ndarray:
        """Return the command of every frame (vx, vy, yaw rate), shape (T, 3).

        As stored, else the mean velocity of the :data:`COMMAND_WINDOW` around each frame, within its clip; of the whole clip
        if the dt is unknown.

        Raises:
            MotionError: the file has neither commands nor velocities in the heading or body frame.
        """
        if self.commands is not None:
            return self.commands
        has_velocities = self.describes_layout and {"root_lin_vel", "root_ang_vel"} <= set(self.spec.layout)
        if not has_velocities or self.velocity_frame not in ("heading", "body"):
            raise MotionError(
                f"{self.path}: has no commands; expected 'commands', (T, 3), or 'layout' (with root_lin_vel and "
                "root_ang_vel), 'joint_names' and a 'velocity_frame' heading or body from which mean velocities can be "
                "read; add one of them to the file"
            )
        features = self.spec.features
        linear, angular = features["root_lin_vel"].start, features["root_ang_vel"].start
        window = round(COMMAND_WINDOW / self.dt) if self.dt else len(self.states)
        return np.concatenate([_moving_mean(c[:, [linear, linear + 1, angular + 2]], window) for c in self.clips()])


def _moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the ``window`` rows around each row of (T, n); at the ends, of the first and the last ``window`` rows."""
    window = min(max(window, 1), len(values))
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=float)])
    first = np.clip(np.arange(len(values)) - window // 2, 0, len(values) - window)
    return ((sums[first + window] - sums[first]) / window).astype(np.float32)


def save_motion(motion: Motion) -> None:
    """Write a clip file to ``motion.path``, atomically; equal contents give equal bytes."""
    arrays = {
        "amp_states": motion.states.astype(np.float32),
        "clip_lengths": motion.clip_lengths.astype(np.int64),
        "dt": motion.dt,
        "joint_names": motion.joint_names,
        "layout": motion.layout,
        "velocity_frame": motion.velocity_frame,
        "key_bodies": motion.key_bodies,
        "feet": motion.feet,
        "commands": motion.commands,
        "source": motion.source,
        "licence": motion.licence,
        "format_version": FORMAT_VERSION,
    }
    with atomic_write(motion.path) as stream:
        np.savez(stream, **{k: np.asarray(v) for k, v in arrays.items() if v is not None})  # type: ignore[arg-type]


def load_motion(path: str | Path) -> Motion:
    """Read and check one clip file.

    Raises:
        MotionError: the message gives the file, what was found, what was expected and what to do.
    """
    try:
        stat = Path(path).stat()
        version = (stat.st_mtime_ns, stat.st_size)
    except OSError:
        version = (0, 0)  # reading it raises the error
    motion = _load_motion(str(path), version)
    commands = None if motion.commands is None else motion.commands.copy()
    return replace(motion, states=motion.states.copy(), commands=commands)


@lru_cache(maxsize=256)
def _load_motion(path: str, version: tuple[int, int]) -> Motion:
    """Read and check one version of a file; a training asks for its clips several times."""
    content = read_bytes(path)
    arrays = unpack_npz(path, content)
    states = check_states(path, arrays)
    lengths = check_clip_lengths(path, arrays.get("clip_lengths"), len(states))
    check_version(path, arrays.get("format_version"))
    commands = arrays.get("commands")
    if commands is not None:
        commands = check_numbers(path, "commands", commands, (len(states), 3))
    return Motion(
        path=path,
        states=states,
        clip_lengths=lengths,
        dt=check_dt(path, arrays.get("dt")),
        joint_names=read_strings(path, "joint_names", arrays),
        layout=read_strings(path, "layout", arrays),
        velocity_frame=read_string(path, "velocity_frame", arrays) or None,
        commands=commands,
        source=read_string(path, "source", arrays),
        licence=read_string(path, "licence", arrays),
        key_bodies=read_strings(path, "key_bodies", arrays) or None,
        feet=read_strings(path, "feet", arrays) or None,
        sha256=hashlib.sha256(content).hexdigest(),
    )
