"""Ending a training from outside: signals that let the iteration finish, and one run per folder."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from amp_runner.errors import ConfigError

_TEMPORARY = re.compile(r"\.model_\d+\.pt\.(\d+)\.tmp")
_LOCK = ".lock"


class TrainingStopped(Exception):  # noqa: N818  (no error)
    """The training was told to stop, and its iteration is finished."""

    def __init__(self, signum: int) -> None:
        """Store the signal."""
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class StopRequest:
    """Notes SIGTERM and Ctrl-C while it is active; a second Ctrl-C interrupts at once."""

    def __init__(self) -> None:
        """Nothing was requested yet."""
        self.signum = 0
        """The signal that asked to stop; 0: none."""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        """Install the handlers; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the handlers."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)

    def _note(self, signum: int, _: FrameType | None) -> None:
        if self.signum and signum == signal.SIGINT:
            raise KeyboardInterrupt
        self.signum = signum
        name = signal.Signals(signum).name
        print(f"{name}: finishing this iteration, then saving; Ctrl-C stops at once", file=sys.stderr, flush=True)


@contextmanager
def exclusive_folder(folder: str | Path | None) -> Iterator[None]:
    """Keep other processes from training into a folder, and remove what killed ones left half-written.

    Raises:
        ConfigError: another process trains there; the message gives its number.
    """
    if folder is None:
        yield
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    with (Path(folder) / _LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            raise ConfigError(f"{folder}: process {owner} is training into this folder; choose another log_dir") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        for file in Path(folder).iterdir():
            if _TEMPORARY.fullmatch(file.name):
                file.unlink(missing_ok=True)
        yield
