"""Kill a training again and again at random times, resume it each time, and look for what was lost.

    python -m tests.faults.kills --kills 1000 --seed 1

Half of the signals are SIGTERM, after which nothing may be lost beyond the running iteration; half are SIGKILL, after which
at most ``save_interval`` iterations may be. Every checkpoint that is left must load, and TensorBoard must read every file.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tqdm import tqdm

from amp_runner.learning.checkpoint import check_finite, read_checkpoint
from tests.faults.toy import make_runner

SAVE_INTERVAL = 5
_KEPT = 3
_STARTED, _FINISHED = 0, 1


class _Report:
    """Tells the parent which iterations are finished."""

    def __init__(self, shared: Any) -> None:
        self.shared = shared

    def after_iteration(self, runner: Any, iteration: int) -> None:
        self.shared[_FINISHED] = iteration

    def after_training(self, runner: Any) -> None:
        pass


def _train(folder: str, newest: str | None, shared: Any) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)
    runner = make_runner(Path(folder), save_interval=SAVE_INTERVAL, keep_checkpoints=_KEPT)
    if newest is not None:
        runner.load(newest)
    runner.callbacks.append(_Report(shared))
    shared[_STARTED] = runner.current_learning_iteration
    runner.learn(10**6)


def _iteration(path: Path) -> int:
    return int(path.stem.removeprefix("model_"))


def _newest(folder: Path) -> Path | None:
    return max(folder.glob("model_*.pt"), key=_iteration, default=None)


def run(kills: int, seed: int, longest: float = 0.5) -> list[str]:
    """Kill that many trainings, each within ``longest`` seconds of its first iteration; returns the faults found."""
    rng, context, faults = random.Random(seed), mp.get_context("fork"), []
    counts = {"SIGTERM": 0, "SIGKILL": 0, "iterations lost": 0, "iterations": 0}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        for number in tqdm(range(kills), unit="kill"):
            signum = rng.choice((signal.SIGTERM, signal.SIGKILL))
            newest = _newest(folder)
            shared = context.Array("q", [-1, -1])
            process = context.Process(
                target=_train, args=(str(folder), str(newest) if newest else None, shared), daemon=True
            )
            process.start()
            while shared[_FINISHED] < 0 and process.is_alive():
                time.sleep(0.002)
            time.sleep(rng.random() * longest)
            os.kill(process.pid or 0, signum)
            process.join(30)
            finished, started = shared[_FINISHED], shared[_STARTED]
            found = _faults_of(folder, signum, process.exitcode, finished)
            expected = 0 if newest is None else _iteration(newest) + 1
            if started != expected:
                found.append(f"began with iteration {started}, expected {expected}")
            faults += [f"kill {number} ({signum.name}): {fault}" for fault in found]
            left = _newest(folder)
            counts[signum.name] += 1
            counts["iterations lost"] += finished - (_iteration(left) if left else started - 1)
            counts["iterations"] += finished - started + 1
        faults += _unreadable_curves(folder)
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    return faults


def _faults_of(folder: Path, signum: signal.Signals, status: int | None, finished: int) -> list[str]:
    faults = []
    expected = 143 if signum == signal.SIGTERM else -9
    if status != expected:
        faults.append(f"the process ended with {status}, expected {expected}")
    for path in folder.glob("model_*.pt"):
        try:
            check_finite(path, read_checkpoint(path, "cpu"))
        except Exception as error:
            faults.append(f"{path.name}: {error}")
    newest = _newest(folder)
    lost = finished - (_iteration(newest) if newest else -1)
    if lost > (0 if signum == signal.SIGTERM else SAVE_INTERVAL):
        faults.append(f"{lost} iterations lost after iteration {finished}")
    if len(list(folder.glob("model_*.pt"))) > _KEPT + 1:
        faults.append("more checkpoints than keep_checkpoints")
    if len(list(folder.glob(".model_*"))) > 1:
        faults.append("half-written files of earlier processes are left")
    return faults


def _unreadable_curves(folder: Path) -> list[str]:
    faults = []
    for path in folder.glob("events.out.*"):
        try:
            for _ in EventFileLoader(str(path)).Load():
                pass
        except Exception as error:
            faults.append(f"{path.name}: {error}")
    return faults


def main(argv: list[str] | None = None) -> int:
    """Run; returns 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    faults = run(args.kills, args.seed)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
