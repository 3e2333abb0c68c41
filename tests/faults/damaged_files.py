"""Damaged files of every format that the library reads: no traceback, crash, hang, or flood of memory.

    python -m tests.faults.damaged_files --inputs 100000 --seed 1

A file is named by its format, seed and number, and can be written again with ``--write FORMAT:NUMBER``. Linux only.
"""

from __future__ import annotations

import argparse
import collections
import logging
import multiprocessing as mp
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from tqdm import tqdm

from amp_runner.errors import AMPError
from tests.faults.corpus import FORMATS
from tests.faults.damage import damaged

MAX_SECONDS = 5.0
"""A file that takes longer hangs [s], processor time."""
MAX_GROWTH = 200 * 2**20
"""Memory that a file may take [bytes], besides a small multiple of its size."""
_MULTIPLE = 4
_BATCH = 250
_SHOWN = 50
_LIMIT = 16 * 2**30  # of address space, so that a flood cannot take the machine


def rng_of(name: str, seed: int, number: int) -> random.Random:
    """The random numbers of one file."""
    return random.Random(f"{name} {seed} {number}")


def run(inputs: int, seed: int, names: list[str]) -> list[str]:
    """Read that many damaged files; returns the faults found, a line each."""
    faults: list[str] = []
    outcomes: collections.Counter[str] = collections.Counter()
    each = -(-inputs // len(names))
    with tempfile.TemporaryDirectory() as folder, tqdm(total=each * len(names), desc="files", unit="file") as progress:
        for name in names:
            first = 0
            while first < each:
                last = min(each, first + _BATCH)
                done, found = _run_batch(name, seed, first, last, folder, outcomes)
                faults += found
                progress.update(done - first)
                first = done
    print(f"{each * len(names)} files: " + ", ".join(f"{count} {name}" for name, count in outcomes.most_common()))
    return faults


def _run_batch(
    name: str, seed: int, first: int, last: int, folder: str, outcomes: collections.Counter[str]
) -> tuple[int, list[str]]:
    """Read files in a process of their own; returns the number of the next file, and the faults."""
    context = mp.get_context("fork")
    reports, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(name, seed, first, last, folder, sender), daemon=True)
    process.start()
    sender.close()
    try:
        reports.recv()
    except EOFError:
        raise RuntimeError(f"the good file of the format '{name}' is not read") from None
    faults, number = [], first
    while True:
        if not reports.poll(4 * MAX_SECONDS):  # a loop in C does not notice its own time limit
            process.kill()
            process.join()
            return number + 1, [*faults, f"{name}:{number}: hangs"]
        try:
            outcome, fault = reports.recv()
        except EOFError:
            process.join()
            if number < last:
                return number + 1, [*faults, f"{name}:{number}: the process ended with {process.exitcode}"]
            return number, faults
        outcomes[outcome] += 1
        if fault:
            faults.append(f"{name}:{number}: {fault}")
        number += 1


def _work(name: str, seed: int, first: int, last: int, folder: str, sender: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_LIMIT, _LIMIT))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)  # libraries in C print what they think of a file
    logging.disable()
    warnings.simplefilter("ignore")
    fmt = FORMATS[name]
    place = Path(folder) / name.replace(" ", "_")
    place.mkdir(exist_ok=True)
    path = place / f"good{fmt.suffix}"
    fmt.write(path)
    fmt.read(path)  # imports are not the file's memory or time
    good = path.read_bytes()
    sender.send("ready")
    for number in range(first, last):
        path = place / f"damaged{fmt.suffix}"
        damaged(fmt, good, path, rng_of(name, seed, number))
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        outcome, fault = "read", ""
        try:
            fmt.read(path)
        except (AMPError, OSError):
            outcome = "refused"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome, fault = "faults", f"{type(error).__name__}: {str(error)[:150]} ({where.filename}:{where.lineno})"
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        if growth > MAX_GROWTH + _MULTIPLE * path.stat().st_size:
            fault = f"takes {growth / 2**20:.0f} MiB for a file of {path.stat().st_size / 2**20:.1f}"
        if (seconds := time.process_time() - began) > MAX_SECONDS:
            fault = f"takes {seconds:.1f} s"
        sender.send((outcome, fault))
    sender.close()


def main(argv: list[str] | None = None) -> int:
    """Run; returns 1 if there were faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=2000, help="damaged files over all formats (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS), help="(default: all)")
    parser.add_argument("--write", metavar="FORMAT:NUMBER", help="only write this file, into the current folder")
    args = parser.parse_args(argv)
    if args.write:
        name, number = args.write.rsplit(":", 1)
        with tempfile.TemporaryDirectory() as folder:
            good = Path(folder) / f"good{FORMATS[name].suffix}"
            FORMATS[name].write(good)
            out = Path(f"damaged{FORMATS[name].suffix}")
            damaged(FORMATS[name], good.read_bytes(), out, rng_of(name, args.seed, int(number)))
        print(f"wrote {out}")
        return 0
    faults = run(args.inputs, args.seed, args.formats)
    for fault in faults[:_SHOWN]:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
