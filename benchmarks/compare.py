#!/usr/bin/env python3
"""A table and a figure of several evaluations, each the mean of one or more ``amp-eval --json`` files.

python benchmarks/compare.py "plain PPO=ppo.json" "AMP=seed1.json,seed2.json,seed3.json" --out docs/images/comparison.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

MEASURES = {
    "stride_frequency_ratio": ("stride frequency ratio", (0.9, 1.1)),
    "hip_amplitude_ratio": ("hip amplitude ratio", (0.85, 1.15)),
    "velocity_error_mps": ("velocity error [m/s]", (0.0, 0.08)),
    "yaw_rate_error_radps": ("yaw rate error [rad/s]", (0.0, 0.1)),
    "falls_per_minute_pushed": ("falls per minute, pushed", (0.0, 0.1)),
    "foot_slip_mps": ("foot slip in stance [m/s]", (0.0, 0.05)),
    "foot_clearance_m": ("foot clearance [m]", None),
    "action_rate": ("action rate", None),
    "left_right_asymmetry": ("left-right asymmetry", None),
    "cost_of_transport": ("cost of transport", None),
    "style_distance": ("style distance", None),
}
"""Titles, and the target range."""
DRAWN = ("stride_frequency_ratio", "hip_amplitude_ratio", "velocity_error_mps", "yaw_rate_error_radps", "foot_slip_mps",
         "action_rate", "foot_clearance_m", "style_distance")  # fmt: skip


def read(text: str) -> tuple[str, dict[str, np.ndarray]]:
    """A label and its measures, one number for each file, of ``LABEL=FILE,FILE``."""
    label, _, files = text.partition("=")
    results = [json.loads(Path(file).read_text()) for file in files.split(",")]
    return label, {name: np.array([result.get(name, np.nan) for result in results]) for name in MEASURES}


def print_table(columns: list[tuple[str, dict[str, np.ndarray]]]) -> None:
    """The table in Markdown; several files give the mean and the range."""
    print("| | " + " | ".join(label for label, _ in columns) + " | target |")
    print("|---" * (len(columns) + 2) + "|")
    for name, (title, target) in MEASURES.items():
        cells = []
        for _, measures in columns:
            values = measures[name]
            spread = f" ({values.min():.3g} to {values.max():.3g})" if len(values) > 1 else ""
            cells.append(f"{values.mean():.3g}{spread}")
        print(f"| {title} | " + " | ".join(cells) + f" | {'' if target is None else f'{target[0]:g} to {target[1]:g}'} |")


def draw(columns: list[tuple[str, dict[str, np.ndarray]]], out: Path) -> None:
    """Bars for each measure, points for single files, a band for the target range."""
    figure, axes = plt.subplots(2, 4, figsize=(13, 5.6), layout="constrained")
    places = np.arange(len(columns))
    colors = [f"C{i}" for i in places]
    for axis, name in zip(axes.flat, DRAWN):
        title, target = MEASURES[name]
        if target is not None:
            axis.axhspan(*target, color="0.85", zorder=0)
        axis.bar(places, [measures[name].mean() for _, measures in columns], color=colors, width=0.7)
        for place, (_, measures) in zip(places, columns):
            if len(measures[name]) > 1:
                axis.plot([place] * len(measures[name]), measures[name], "k.", markersize=5)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(places, [label for label, _ in columns], rotation=25, ha="right", fontsize=8)
    figure.savefig(out, dpi=90)
    print(f"\nwrote {out}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("columns", nargs="+", metavar="LABEL=FILE[,FILE]", help="evaluations that belong together")
    parser.add_argument("--out", type=Path, help="picture to write (.png)")
    args = parser.parse_args()
    columns = [read(text) for text in args.columns]
    print_table(columns)
    if args.out:
        draw(columns, args.out)


if __name__ == "__main__":
    main()
