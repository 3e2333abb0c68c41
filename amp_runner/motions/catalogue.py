"""A catalogue of public motion files: where they are, under which licence, and how they are converted."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from amp_runner.errors import MotionError, suggestion
from amp_runner.files import atomic_write
from amp_runner.motions.convert import Conversion

_TIMEOUT = 30.0  # [s] without a byte
_CHUNK = 2**16
_READ = ("joint_names", "fps", "quat")


@dataclass(frozen=True)
class CatalogueEntry:
    """A public motion file. The project redistributes none of them."""

    name: str
    robot: str
    what: str
    """What the motion shows."""
    url: str
    licence: str
    size: int
    """[bytes]"""
    sha256: str
    settings: dict[str, Any] = field(default_factory=dict)
    """What the file does not store: fields of :class:`Conversion` and of its ``read`` options."""

    def conversion(self, conversion: Conversion) -> Conversion:
        """Complete a conversion with what is known about this file; what the user chose stays."""
        read = {name: self.settings[name] for name in _READ if name in self.settings}
        if "joint_names" in read:
            read["joint_names"] = tuple(read["joint_names"])
        chosen = {name: value for name, value in vars(conversion.read).items() if value not in (None, "auto")}
        return replace(
            conversion,
            kind=conversion.kind or self.settings.get("kind"),
            read=replace(conversion.read, **{**read, **chosen}),
            loop=conversion.loop or self.settings.get("loop", 0),
            licence=conversion.licence or self.licence,
        )


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Return all entries by name."""
    text = importlib.resources.files("amp_runner.motions").joinpath("catalogue.json").read_text()
    fields = ("robot", "what", "url", "licence", "size", "sha256")
    return {
        name: CatalogueEntry(
            name, **{f: values[f] for f in fields}, settings={k: v for k, v in values.items() if k not in fields}
        )
        for name, values in json.loads(text).items()
    }


def find_entry(name: str) -> CatalogueEntry:
    """Return an entry.

    Raises:
        MotionError: there is none of that name.
    """
    if name not in catalogue():
        hint = suggestion(name, catalogue()) or f"; known: {', '.join(catalogue())}"
        raise MotionError(f"the catalogue has no motion '{name}'{hint}; amp-motion list shows all")
    return catalogue()[name]


def download(entry: CatalogueEntry, folder: str | Path, progress: Callable[[int], object] = lambda _: None) -> Path:
    """Download a motion file over https and check it.

    Args:
        entry: the file.
        folder: folder to write to.
        progress: called with the number of bytes of each part.

    Returns:
        The file.

    Raises:
        MotionError: it cannot be reached, or is not the file that the catalogue describes.
    """
    parts = urllib.parse.urlsplit(entry.url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise MotionError(f"{entry.name}: {entry.url} is not https")
    content = bytearray()
    try:
        with urllib.request.urlopen(entry.url, timeout=_TIMEOUT) as response:
            while part := response.read(_CHUNK):
                content += part
                progress(len(part))
                if len(content) > entry.size:
                    break
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise MotionError(f"{entry.name}: {entry.url} cannot be downloaded: {reason}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise MotionError(
            f"{entry.name}: {entry.url} is another file than the catalogue describes ({len(content)} bytes, sha256 "
            f"{found[:12]}...; expected {entry.size} bytes, {entry.sha256[:12]}...): it has changed at its source"
        )
    path = Path(folder) / Path(parts.path).name
    with atomic_write(str(path)) as stream:
        stream.write(content)
    return path
