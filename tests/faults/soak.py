"""Train for very long: memory, time an iteration, and the folder's size must not grow.

python -m tests.faults.soak --iterations 20000
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.faults.toy import make_runner

MAX_GROWTH = 0.01
"""Growth of memory after the first tenth that counts as flat."""
MAX_SLOWER = 1.1
"""Time of the last tenth of the iterations over that of the second tenth that counts as flat; of each tenth the 10 %
quantile, which other work on the machine changes least."""


class _Probe:
    """Measures after each iteration."""

    def __init__(self, iterations: int) -> None:
        self.times: list[float] = []
        self.memory: list[int] = []
        self.every = max(10, iterations // 200)
        self.progress = tqdm(total=iterations, unit="iteration")
        self.last = time.process_time()

    def after_iteration(self, runner: Any, iteration: int) -> None:
        now = time.process_time()
        self.times.append(now - self.last)
        if iteration % self.every == 0:
            gc.collect()
            self.memory.append(_resident_bytes())
        self.progress.update()
        self.last = time.process_time()

    def after_training(self, runner: Any) -> None:
        self.progress.close()


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def run(iterations: int) -> dict[str, float]:
    """Train; returns growth of memory, of the time an iteration, and bytes in the folder an iteration."""
    with tempfile.TemporaryDirectory() as place:
        runner = make_runner(Path(place) / "run", save_interval=100, keep_checkpoints=3)
        probe = _Probe(iterations)
        runner.callbacks.append(probe)
        with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null):
            runner.learn(iterations)
        folder = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
        checkpoints = len(list((Path(place) / "run").glob("model_*.pt")))
    tenth = len(probe.times) // 10
    early, late = (statistics.quantiles(times, n=10)[0] for times in (probe.times[tenth : 2 * tenth], probe.times[-tenth:]))
    memory = probe.memory[len(probe.memory) // 10 :]
    return {
        "memory at the end over memory after a tenth": memory[-1] / memory[0],
        "time an iteration, last tenth over second": late / early,
        "memory [MiB]": memory[-1] / 2**20,
        "checkpoints": checkpoints,
        "folder, bytes an iteration": folder / iterations,
    }


def main(argv: list[str] | None = None) -> int:
    """Run; returns 1 if something grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=1000, help="(default: %(default)s)")
    results = run(parser.parse_args(argv).iterations)
    for name, value in results.items():
        print(f"{name}: {value:.4g}")
    growth, slower, *_ = results.values()
    return int(growth > 1 + MAX_GROWTH or slower > MAX_SLOWER)


if __name__ == "__main__":
    sys.exit(main())
