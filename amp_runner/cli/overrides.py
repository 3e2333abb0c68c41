"""Settings from the command line: weighted motions, recipes, and overrides in Hydra's form."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml

from amp_runner.errors import ConfigError
from amp_runner.learning.config import AMPCfg


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
    AMPCfg(motions=[entry]).motion_entries()
    return entry


def recipe_overrides(files: list[str]) -> list[str]:
    """Hydra overrides for recipes: YAML files with the sections ``agent`` and ``env``.

    Raises:
        ConfigError: a file cannot be read or has another section.
    """
    overrides = []
    for file in files:
        try:
            recipe = yaml.safe_load(Path(file).read_text()) or {}
        except OSError as error:
            raise ConfigError(
                f"{file}: cannot be read: {error.strerror}; expected a recipe such as those in configs/"
            ) from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{file}: not valid YAML: {str(error).splitlines()[0]}") from None
        if not isinstance(recipe, dict) or set(recipe) - {"agent", "env"}:
            found = ", ".join(map(str, recipe)) if isinstance(recipe, dict) else type(recipe).__name__
            raise ConfigError(f"{file}: has {found}; expected the sections 'agent' and 'env' and nothing else")
        overrides += _flatten(recipe)
    return overrides


def _flatten(values: dict[str, Any], prefix: str = "") -> list[str]:
    flat = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append(f"{prefix}{key}={value!r}")
    return flat


def without_terms_switched_off(overrides: list[str], cfgs: dict[str, Any]) -> list[str]:
    """Overrides but those inside terms that are None, as play mode leaves terms that only a training needs.

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
    """Refuse what no parser took; Isaac Lab would hand it to Hydra.

    Raises:
        ConfigError: naming the argument.
    """
    for argument in arguments:
        if argument.startswith("-"):
            raise ConfigError(f"unknown argument '{argument}'; see {prog} --help")


def check_overrides(overrides: list[str], cfgs: dict[str, Any]) -> None:
    """Refuse settings that do not exist, which Isaac Lab would silently add.

    Args:
        overrides: command-line overrides, ``section.path=value``.
        cfgs: the resolved configurations by section.

    Raises:
        ConfigError: naming the argument and the nearest that exists.
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
            close = difflib.get_close_matches(parts[-1], fields, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(fields)}"
            raise ConfigError(f"unknown setting '{path}'{hint}")
