#!/usr/bin/env python3
"""Draw a run's learning curves from its TensorBoard file.

python scripts/plot_curves.py logs/rsl_rl/ostrich_flat/RUN [RUN ...] [--out curves.png]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PANELS = {
    "Task reward a step": ["AMP/task_reward"],
    "Style reward a step": ["AMP/style_reward"],
    "Discriminator accuracy": ["AMP/accuracy_expert", "AMP/accuracy_policy"],
    "Episode length [steps]": ["Train/mean_episode_length"],
    "Velocity error [m/s]": ["Metrics/base_velocity/error_vel_xy"],
    "Logits": ["AMP/logit_expert", "AMP/logit_policy"],
}


def read_scalars(run: Path) -> dict[str, tuple[list[int], list[float]]]:
    """All scalars of a run: steps and values by tag."""
    events = EventAccumulator(str(run), size_guidance={"scalars": 0}).Reload()
    tags = events.Tags()["scalars"]
    return {tag: tuple(zip(*((e.step, e.value) for e in events.Scalars(tag)))) for tag in tags}


def draw(runs: list[Path], out: Path) -> None:
    """Draw one panel for each group of tags, one colour for each run."""
    figure, axes = plt.subplots(2, 3, figsize=(13, 7), layout="constrained")
    for color, run in zip(plt.rcParams["axes.prop_cycle"].by_key()["color"], runs):
        scalars = read_scalars(run)
        for axis, (title, tags) in zip(axes.flat, PANELS.items()):
            axis.set_title(title)
            axis.set_xlabel("iteration")
            for tag, style in zip(tags, ("-", "--")):
                if tag in scalars:
                    side = f" ({tag.rpartition('_')[2]})" if len(tags) > 1 else ""
                    axis.plot(*scalars[tag], style, color=color, label=f"{run.name}{side}")
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=7)
    figure.savefig(out, dpi=110)
    print(f"wrote {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--out", type=Path, help="picture to write (default: curves.png in the first run)")
    args = parser.parse_args()
    for run in args.runs:
        if not list(run.glob("events.out.tfevents.*")):
            sys.exit(f"{run}: no TensorBoard file; expected the folder of a run")
    draw(args.runs, args.out or args.runs[0] / "curves.png")


if __name__ == "__main__":
    main()
