"""Settings from the command line: weighted motions, presets, and Hydra overrides."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from amp_runner.errors import ConfigError, suggestion
from amp_runner.learning.config import parse_motion_entries
from amp_runner.safe_yaml import parse_yaml, read_yaml


def parse_motion_argument(text: str) -> dict[str, Any]:
    """Split ``PATH[:WEIGHT]``; a colon that is not followed by a number belongs to the path.

    Raises:
        ConfigError: the weight is not positive.
    """
    path, _, weight = text.rpartition(":")
    try:
        entry = {"path": path, "weight": float(weight)} if path else {"path": text}
    except ValueError:
        entry = {"path": text}
    parse_motion_entries([entry])
    return entry


def preset_overrides(files: list[str]) -> list[str]:
    """Return the Hydra overrides of presets: YAML files with the sections ``agent`` and ``env``.

    Raises:
        ConfigError: a file cannot be read or has another section.
    """
    overrides = []
    for file in files:
        try:
            preset = read_yaml(file) or {}
        except OSError as error:
            raise ConfigError(
                f"{file}: cannot be read: {error.strerror}; expected a preset such as those in configs/"
            ) from None
        except ValueError as error:
            raise ConfigError(f"{file}: not a preset in YAML: {error}") from None
        if not isinstance(preset, dict) or set(preset) - {"agent", "env"}:
            found = ", ".join(map(str, preset)) if isinstance(preset, dict) else type(preset).__name__
            raise ConfigError(f"{file}: has {found}; expected only the sections 'agent' and 'env'")
        _resolve_motions(preset, Path(file).parent)
        overrides += _flatten(preset)
    return overrides


def _resolve_motions(preset: dict[str, Any], folder: Path) -> None:
    """Resolve the paths of motions against the preset's folder, where they exist there."""
    section: Any = preset
    for key in ("agent", "algorithm", "amp_cfg"):
        section = section.get(key) if isinstance(section, dict) else None
    motions = section.get("motions") if isinstance(section, dict) else None
    if not isinstance(motions, list):
        return
    for index, entry in enumerate(motions):
        path = entry.get("path") if isinstance(entry, dict) else entry
        if isinstance(path, str) and (folder / path).exists():
            resolved = str((folder / path).resolve())
            motions[index] = {**entry, "path": resolved} if isinstance(entry, dict) else resolved


def _flatten(values: dict[str, Any], prefix: str = "") -> list[str]:
    flat = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append(f"{prefix}{key}={value!r}")
    return flat


def with_quoted_names(arguments: list[str]) -> list[str]:
    """Write lists of names in overrides as Python does, ``a=[b,c]`` as ``a=['b', 'c']``: Isaac Lab reads nothing else."""

    def quoted(argument: str) -> str:
        name, _, value = argument.partition("=")
        if not value.startswith(("[", "{")):
            return argument
        try:
            ast.literal_eval(value)
        except (ValueError, SyntaxError):
            try:
                return f"{name}={parse_yaml(value)!r}"
            except ValueError:
                pass  # the setting's own check names what is wrong
        return argument

    return [quoted(argument) for argument in arguments]


def without_terms_switched_off(overrides: list[str], cfgs: dict[str, Any]) -> list[str]:
    """Drop overrides inside terms that are None; play mode removes terms that only training needs.

    Args:
        overrides: ``section.path=value``.
        cfgs: the configurations by section.
    """

    def is_there(override: str) -> bool:
        value: Any = cfgs
        for part in override.split("=")[0].split(".")[:-1]:
            value = value.get(part, ()) if isinstance(value, dict) else getattr(value, part, ())
            if value is None:
                return False
        return True

    return [override for override in overrides if is_there(override)]


def refuse_unknown_flags(prog: str, arguments: list[str]) -> None:
    """Reject flags that no parser knows; Isaac Lab would pass them to Hydra.

    Raises:
        ConfigError: the message names the argument.
    """
    for argument in arguments:
        if argument.startswith("-"):
            raise ConfigError(f"unknown argument '{argument}'; see {prog} --help")


def check_overrides(overrides: list[str], cfgs: dict[str, Any]) -> None:
    """Reject settings that do not exist, which Isaac Lab would silently add.

    Args:
        overrides: command-line overrides, ``section.path=value``.
        cfgs: the resolved configurations by section.

    Raises:
        ConfigError: the message names the setting and the closest one that exists.
    """
    for override in overrides:
        path = override.split("=")[0]
        section, *parts = path.split(".")
        if section not in cfgs or not parts:
            continue
        parent = cfgs[section]
        for part in parts[:-1]:
            parent = parent[part] if isinstance(parent, dict) else getattr(parent, part)
        fields = getattr(parent, "__dataclass_fields__", {parts[-1]: None})
        if parts[-1] not in fields:
            hint = suggestion(parts[-1], fields) or f"; known: {', '.join(fields)}"
            raise ConfigError(f"unknown setting '{path}'{hint}")


def apply_overrides(overrides: list[str], cfgs: dict[str, Any], *, skip_missing_terms: bool = False) -> None:
    """Change configurations of dataclasses and dictionaries; None removes an entry of a dictionary.

    Args:
        overrides: ``section.path=value``, with the value in YAML.
        cfgs: the configurations by section.
        skip_missing_terms: ignore settings inside terms that do not exist; play mode removes terms that only training needs.

    Raises:
        ConfigError: a setting does not exist, or its value has another type; the message names it.
    """
    for override in overrides:
        path, separator, text = override.partition("=")
        section, *parts = path.split(".")
        if override.startswith("-") or not separator or section not in cfgs or not parts:
            known = " or ".join(f"{name}.SETTING=VALUE" for name in cfgs)
            raise ConfigError(f"unknown argument '{override}'; expected a flag, or a setting {known}")
        value, parent = _parse_value(path, text), cfgs[section]
        for part in parts[:-1]:
            if skip_missing_terms and isinstance(parent, dict) and part not in parent:
                break
            parent = _entry(parent, part, path)
        else:
            _set_entry(parent, parts[-1], value, path, skip_missing_terms)


def _parse_value(path: str, text: str) -> Any:
    try:
        return None if text == "None" else parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{path}: '{text}' is not a value in YAML: {error}") from None


def _entry(parent: Any, name: str, path: str) -> Any:
    names = list(parent) if isinstance(parent, dict) else list(getattr(parent, "__dataclass_fields__", ()))
    if name not in map(str, names):
        hint = suggestion(name, map(str, names)) or f"; known: {', '.join(map(str, names))}"
        raise ConfigError(f"unknown setting '{path}'{hint}")
    return parent[name] if isinstance(parent, dict) else getattr(parent, name)


def _set_entry(parent: Any, name: str, value: Any, path: str, may_be_missing: bool) -> None:
    if isinstance(parent, dict) and name not in parent and may_be_missing:
        return
    before = _entry(parent, name, path)
    if isinstance(before, tuple) and isinstance(value, list):
        value = tuple(value)
    if isinstance(before, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if (
        before is not None
        and value is not None
        and type(before) in (bool, int, float, str)
        and type(value) is not type(before)
    ):
        raise ConfigError(f"{path} is {value!r}; expected {type(before).__name__}, such as {before!r}")
    if isinstance(parent, dict):
        if value is None:
            del parent[name]
        else:
            parent[name] = value
    else:
        setattr(parent, name, value)
