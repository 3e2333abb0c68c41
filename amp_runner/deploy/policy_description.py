"""``policy.json``: the description of an exported policy's inputs, outputs and robot."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from amp_runner.deploy.description_check import check_description
from amp_runner.errors import ConfigError
from amp_runner.files import read_file

FORMAT_VERSION = 1
FILE_NAME = "policy.json"
_MAX_BYTES = 16 * 2**20

SIGNALS = {
    "base_ang_vel": "angular velocity of the base, in its own frame [rad/s], (3,)",
    "base_lin_vel": "linear velocity of the base at robot.velocity_point, in its own frame, estimated [m/s], (3,)",
    "projected_gravity": "unit vector of gravity in the base's frame, (3,)",
    "command": "commanded forward and sideways velocity [m/s] and yaw rate [rad/s], (3,)",
    "joint_pos": "joint positions in the order of joints.names [rad], (J,)",
    "joint_vel": "joint velocities in that order [rad/s], (J,)",
    "last_action": "the network's previous output, before offset and scale; zero at first, (A,)",
}
"""Signals from which observations are computed. A robot measures all except ``base_lin_vel``, which it estimates, and the
last."""


def rounded(values: Iterable[Any]) -> list[float]:
    """Return numbers of a tensor, an array or a list, to seven digits after the point."""
    return [round(float(value), 7) for value in values]


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of packages."""

    def version(package: str) -> str:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    return {package: version(package) for package in packages}


@dataclass
class Observation:
    """One part of the network's input: ``clip(signal - offset) * scale`` of the last frames, oldest first."""

    name: str
    signal: str | None
    """One of :data:`SIGNALS`; None for something else, which only the training environment can compute."""
    function: str
    """The task's observation function, for signals that are None."""
    size: int
    """Numbers in one frame."""
    offset: list[float]
    scale: list[float]
    clip: list[float] | None = None
    """Smallest and largest value before scaling."""
    history: int = 1
    """Number of frames; after a reset all equal the first one."""
    joints: list[str] = field(default_factory=list)
    """Joints, in order, for joint signals."""


@dataclass
class Joints:
    """The robot's joints and their controllers: torque = stiffness * (target - position) - damping * velocity."""

    names: list[str]
    default_pos: list[float]
    """[rad]"""
    stiffness: list[float]
    """[N m/rad]"""
    damping: list[float]
    """[N m s/rad]"""
    effort_limit: list[float]
    """[N m]"""
    armature: list[float]
    """[kg m^2]"""
    friction: list[float]
    """[N m]"""
    actuators: dict[str, str] = field(default_factory=dict)
    """Names of the actuator models. Effects beyond the torque law, such as delays, are not described."""


@dataclass
class Actions:
    """Joint position target = offset + scale * network output, in the order of ``joints``."""

    joints: list[str]
    offset: list[float]
    scale: list[float]
    clip: float | None = None
    """Largest absolute network output."""


@dataclass
class Robot:
    """What a simulator needs in addition, to place the robot and to measure its gait."""

    model: str | None
    """MJCF file beside this one."""
    base_height: float
    """Height of the base in the default pose [m]."""
    feet: dict[str, Any] | None
    """Bodies with the feet, the centre of the foot in the body's frame and its radius [m]."""
    amp_state: dict[str, Any] | None
    """Layout of the AMP state: joint_names, orientation, velocity_frame."""
    velocity_point: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """Point whose velocity is the signal ``base_lin_vel``, in the base's frame [m]."""


@dataclass
class PolicyDescription:
    """An exported policy; read with :meth:`load`, written with :meth:`save`."""

    task: str
    control_dt: float
    """Time between two runs of the network [s]."""
    physics_dt: float
    """Time step of the simulation that it was trained in [s]."""
    observations: list[Observation]
    actions: Actions
    joints: Joints
    robot: Robot
    command_ranges: dict[str, list[float]]
    """Range of each command in training, by name."""
    checkpoint: dict[str, Any]
    """File name and iteration."""
    motions: dict[str, str]
    """SHA-256 of the reference motions by file name."""
    versions: dict[str, str]
    """Versions of the packages that wrote the export."""
    signals: dict[str, str] = field(default_factory=lambda: dict(SIGNALS))
    """Descriptions of the signals."""
    format_version: int = FORMAT_VERSION

    @property
    def decimation(self) -> int:
        """Physics steps in a control step."""
        return round(self.control_dt / self.physics_dt)

    def require_measured(self) -> None:
        """Check that a robot can measure or estimate every observation.

        Raises:
            ConfigError: one can only be computed by the training environment.
        """
        unknown = [entry.name for entry in self.observations if entry.signal is None]
        if unknown:
            raise ConfigError(
                f"the policy observes {', '.join(unknown)}, which only the training environment can compute; export a "
                "policy that observes what a robot measures"
            )

    def model_path(self, folder: str | Path) -> Path:
        """The robot's MJCF file in the export's folder.

        Raises:
            ConfigError: the task did not come with one.
        """
        if self.robot.model is None:
            raise ConfigError(f"{folder}: holds no MJCF file of the robot; set 'mjcf' in the task's configuration")
        return Path(folder) / self.robot.model

    def save(self, folder: str | Path) -> None:
        """Write ``policy.json``."""
        (Path(folder) / FILE_NAME).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> PolicyDescription:
        """Read an exported policy's description.

        Raises:
            ConfigError: there is none, or it is of another version or damaged.
        """
        path = Path(folder) / FILE_NAME
        try:
            values = json.loads(read_file(path, _MAX_BYTES))
            version = values["format_version"]
        except FileNotFoundError:
            raise ConfigError(f"{path}: no such file; expected a folder that amp-export made") from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(f"{path}: not an exported policy's description ({error!r})") from None
        if version != FORMAT_VERSION:
            raise ConfigError(f"{path}: has format_version {version!r}; this version reads {FORMAT_VERSION}: export again")
        parts = {"actions": Actions, "joints": Joints, "robot": Robot}
        try:
            known: dict[str, Any] = {f.name: values[f.name] for f in fields(cls)}
            known |= {name: part(**known[name]) for name, part in parts.items()}
            known["observations"] = [Observation(**entry) for entry in known["observations"]]
            description = cls(**known)
            check_description(description)
        except (AttributeError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: damaged: {error}; export the policy again") from None
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return description
