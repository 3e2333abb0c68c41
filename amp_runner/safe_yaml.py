"""Reading YAML files of strangers: plain values only, no aliases, bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amp_runner.files import read_file

MAX_BYTES = 2**20
"""Larger files are rejected [bytes]."""


class _PlainLoader(yaml.SafeLoader):
    """Rejects aliases, by which a few bytes become any number of elements or never end."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError(f"alias '*{self.peek_event().anchor}'; aliases are not supported, write the value out")
        return super().compose_node(parent, index)


def parse_yaml(text: str) -> Any:
    """Parse YAML.

    Raises:
        ValueError: it is damaged, holds an impossible value or an alias, or is nested too deeply; the message is one line.
    """
    try:
        return yaml.load(text, _PlainLoader)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        # An impossible date or number raises whatever its constructor does.
        raise ValueError((str(error).splitlines() or [type(error).__name__])[0]) from None


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Raises:
        OSError: it cannot be read, or is larger than :data:`MAX_BYTES`.
        ValueError: see :func:`parse_yaml`; or it is not UTF-8.
    """
    try:
        return parse_yaml(read_file(path, MAX_BYTES).decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}") from None
