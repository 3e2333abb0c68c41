"""Checks of ``policy.json``: it commands a robot, so that no wrong length or number may pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from amp_runner.errors import ConfigError

_LARGEST = 1e4
"""Largest number in a description: no robot has such positions, gains or efforts in SI units."""
_SHORTEST, _LONGEST = 1e-5, 1.0
"""Time steps [s]."""


def check_description(description: Any) -> None:
    """Check lengths, ranges and names.

    Args:
        description: a :class:`~.policy_description.PolicyDescription`.

    Raises:
        ConfigError: the message names the entry, what was found and what is expected.
    """
    joints, actions = description.joints, description.actions
    _check_names("joints.names", joints.names)
    _check_names("actions.joints", actions.joints, joints.names)
    _numbers("joints.default_pos", joints.default_pos, len(joints.names))
    for name in ("stiffness", "damping", "effort_limit", "armature", "friction"):
        _numbers(f"joints.{name}", getattr(joints, name), len(joints.names), low=0.0)
    _numbers("actions.offset", actions.offset, len(actions.joints))
    _numbers("actions.scale", actions.scale, len(actions.joints))
    if actions.clip is not None:
        _number("actions.clip", actions.clip, 0.0, _LARGEST)
    signals = description.signals
    if not isinstance(signals, dict) or not all(isinstance(text, str) for text in signals.values()):
        raise ConfigError("signals: expected a description for each name")
    for entry in description.observations:
        _check_observation(entry, joints.names, signals)
    _number("physics_dt", description.physics_dt, _SHORTEST, _LONGEST)
    _number("control_dt", description.control_dt, description.physics_dt, _LONGEST)
    _number("robot.base_height", description.robot.base_height, -_LARGEST, _LARGEST)
    _check_command_ranges(description.command_ranges)
    _check_feet(description.robot.feet)
    _numbers("robot.velocity_point", description.robot.velocity_point, 3)
    model = description.robot.model
    if model is not None and (not isinstance(model, str) or PurePath(model).name != model):
        raise ConfigError(f"robot.model is {model!r}; expected the name of a file beside policy.json")


def _check_command_ranges(ranges: Any) -> None:
    if not isinstance(ranges, dict):
        raise ConfigError(f"command_ranges is {ranges!r}; expected a lowest and a highest value for each name")
    for name, limits in ranges.items():
        _numbers(f"command_ranges.{name}", limits, 2)


def _check_feet(feet: Any) -> None:
    if feet is None:
        return
    if not isinstance(feet, dict) or {"body_names", "offset", "radius"} - set(feet):
        raise ConfigError(f"robot.feet is {feet!r}; expected body_names, offset and radius")
    _check_names("robot.feet.body_names", feet["body_names"])
    _numbers("robot.feet.offset", feet["offset"], 3)
    _number("robot.feet.radius", feet["radius"], 0.0, 1.0)


def _check_observation(entry: Any, joint_names: Sequence[str], signals: dict[str, str]) -> None:
    where = f"observation {entry.name}"
    if not isinstance(entry.name, str):
        raise ConfigError(f"{where}: its name is no text")
    if entry.signal is not None and (not isinstance(entry.signal, str) or entry.signal not in signals):
        raise ConfigError(f"{where}: signal is {entry.signal!r}; expected one of {', '.join(signals)}")
    for name in ("size", "history"):
        value = getattr(entry, name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LARGEST:
            raise ConfigError(f"{where}: {name} is {value!r}; expected a whole number from 1 on")
    _numbers(f"{where}: offset", entry.offset, entry.size)
    _numbers(f"{where}: scale", entry.scale, entry.size)
    if entry.clip is not None:
        _numbers(f"{where}: clip", entry.clip, 2, limit=math.inf)
    if entry.joints:
        _check_names(f"{where}: joints", entry.joints, joint_names)
        if len(entry.joints) != entry.size:
            raise ConfigError(f"{where}: {len(entry.joints)} joints for {entry.size} numbers")


def _check_names(where: str, names: Any, known: Sequence[str] | None = None) -> None:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{where} is {names!r}; expected a list of names")
    if len(set(names)) < len(names):
        raise ConfigError(f"{where}: a joint is listed twice in {', '.join(names)}")
    unknown = [name for name in names if known is not None and name not in known]
    if unknown:
        raise ConfigError(f"{where}: unknown joint '{unknown[0]}'; the robot has {', '.join(known or ())}")


def _numbers(where: str, values: Any, count: int, low: float = -_LARGEST, limit: float = _LARGEST) -> None:
    if not isinstance(values, list) or len(values) != count:
        found = f"{len(values)} numbers" if isinstance(values, list) else repr(values)
        raise ConfigError(f"{where} has {found}; expected {count}")
    for value in values:
        _number(where, value, max(low, -limit), limit)


def _number(where: str, value: Any, low: float, high: float) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # NaN compares False
        raise ConfigError(f"{where} is {value!r}; expected a number from {low:g} to {high:g}")
