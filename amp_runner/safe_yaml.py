"""Reading YAML files of strangers: plain values only, no aliases, bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
        OSError: it cannot be read.
        ValueError: see :func:`parse_yaml`; or it is larger than :data:`MAX_BYTES`, or not UTF-8.
    """
    with Path(path).open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1024} KiB")
    try:
        return parse_yaml(content.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}") from None
