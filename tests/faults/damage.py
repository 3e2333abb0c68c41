"""Ways to damage a file: its contents, its bytes, or the members of an archive."""

from __future__ import annotations

import contextlib
import copy
import io
import random
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.faults.corpus import Format

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 10**400, float("nan"), float("inf"), -1e308, 1e-320, "", "nan", "x" * 3000, "\x00",
    "../../etc/passwd", "/dev/zero", [], [[]], {}, [None], {"a": {"a": {}}}, [[1, 2], [3]], b"\xff", "é",
)  # fmt: skip
_TEXTS = (
    b"1e308", b"-1", b"nan", b"9" * 400, b"1e-320", b"\x00", b"\xff\xfe", b"[" * 3000, b"{a: " * 200, b"&a [*a]",
    b"!!python/object:os.system",    b"<", b"&#x0;", b"\"", b"'", b"\n", b"- ", b"%", b"NaN", b"Infinity",
    b"true", b"2001-99-99", b"0x" + b"f" * 40,
)  # fmt: skip
_WORDS = tuple(struct.pack("<q", v) for v in (0, -1, 1, 2**31, 2**40, 2**63 - 1)) + tuple(
    struct.pack("<d", v) for v in (float("nan"), float("inf"), 1e308, 1e-320)
)


def damaged(fmt: Format, good: bytes, path: Path, rng: random.Random) -> None:
    """Write a damaged copy of the file ``good``."""
    way = rng.random()
    if fmt.load is not None and fmt.dump is not None and way < 0.5:
        path.write_bytes(good)
        data = fmt.load(path)
        with contextlib.suppress(Exception):  # some changes cannot be made, or not be written in this format
            for _ in range(rng.randint(1, 3)):
                data = _change(copy.deepcopy(data), rng)
            fmt.dump(data, path)
            return
    if good[:2] == b"PK" and way < 0.75:
        path.write_bytes(_change_member(good, rng))
    else:
        path.write_bytes(_change_bytes(good, rng))


def _change(data: Any, rng: random.Random) -> Any:
    """Change one entry somewhere in nested data."""
    if isinstance(data, dict) and data and rng.random() < 0.9:
        key = rng.choice(list(data))
        kind = rng.random()
        if kind < 0.1:
            del data[key]
        elif kind < 0.15:
            data[rng.choice(("x", 3, "", "joint_names", key))] = data.pop(key)
        else:
            data[key] = _change(data[key], rng)
        return data
    if isinstance(data, list) and data and rng.random() < 0.9:
        index = rng.randrange(len(data))
        kind = rng.random()
        if kind < 0.1:
            del data[index:]
        elif kind < 0.2:
            data.insert(index, data[index])
        else:
            data[index] = _change(data[index], rng)
        return data
    if isinstance(data, torch.Tensor):
        return torch.from_numpy(np.asarray(_change_array(data.numpy(), rng), dtype=np.float32)) if rng.random() < 0.8 else 1
    if isinstance(data, np.ndarray):
        return _change_array(data, rng)
    return rng.choice(_VALUES)


def _change_array(array: np.ndarray, rng: random.Random) -> Any:
    kind = rng.randrange(10)
    if kind == 0:
        return array[: rng.randint(0, 3)]
    if kind == 1:
        return array[..., :-1] if array.ndim else array
    if kind == 2:
        return array[None]
    if kind == 3:
        return array.astype(rng.choice(("float16", "float64", "int8", "uint8", "U3", "complex64", "bool")), casting="unsafe")
    if kind == 4:
        return np.repeat(array, 2, axis=0) if array.ndim else array
    if kind == 5:
        return array.T
    if kind == 6:
        return rng.choice(_VALUES)
    if array.dtype.kind in "fiu" and array.size:
        changed = array.astype(float).copy()
        changed.flat[rng.randrange(changed.size)] = rng.choice((float("nan"), float("inf"), 1e30, 1e-320, -1e9, 0))
        return changed * (rng.choice((0, 1e6, -1, 1e-9)) if kind == 7 else 1)
    return array.reshape(-1)


def _change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Change bytes: single ones, runs, numbers in binary or in text."""
    for _ in range(rng.randint(1, 4)):
        if content:
            at = rng.randrange(min(len(content), rng.choice((64, 600, 10**9))))
            content = content[:at] + rng.choice(_CHANGES)(content[at:], rng)
    return content


def _change_a_number(rest: bytes, rng: random.Random) -> bytes:
    numbers = [match.span() for match in re.finditer(rb"-?\d+(\.\d+)?", rest[:4000])]
    start, stop = rng.choice(numbers or [(0, 0)])
    return rest[:start] + rng.choice(_TEXTS) + rest[stop:]


def _repeat_a_run(rest: bytes, rng: random.Random) -> bytes:
    return rest[: rng.randint(1, 200)] * rng.randint(2, 30) + rest


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda rest, rng: bytes([rest[0] ^ (1 << rng.randrange(8))]) + rest[1:],
    lambda rest, rng: bytes([rng.randrange(256)]) + rest[1:],
    lambda rest, rng: b"",
    lambda rest, rng: rest[rng.randint(1, 200) :],
    _repeat_a_run,
    lambda rest, rng: rng.choice(_WORDS) + rest[8:],
    lambda rest, rng: rng.choice(_TEXTS) + rest,
    _change_a_number,
)
"""What can happen to the rest of a file from some byte on."""


def _change_member(archive: bytes, rng: random.Random) -> bytes:
    """Change a member of a zip archive; its checksum is right again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen:
                content = _change_bytes(content, rng) if rng.random() < 0.9 else b"\0" * rng.choice((0, 10**6, 10**8))
            compression = zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED
            new.writestr(name, content, compression)
    return stream.getvalue()
