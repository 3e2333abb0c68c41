"""Compare the ostrich robot's gait with that of real ostriches, at equal Froude numbers.

    python benchmarks/real_birds.py --birds outputs/real_ostrich/birds.npz --policy "shipped policy" walk_*.npz

Clips of the birds are made by scripts/real_ostrich.py, recordings of a policy by amp-record; the references are those of the
repository. All are measured in the same way, from the paths of the feet.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import binary_closing, uniform_filter1d

from amp_runner import Motion, load_motion
from amp_runner.motions.robot_model import RobotModel
from amp_runner.motions.root_path import RootPath, root_path

SKELETON = Path("motions/real_ostrich/skeleton.xml")
ROBOT = Path("ostrich_env/robot/assets/ostrich.xml")
GRAVITY = 9.81  # [m/s^2]
BIN_EDGES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.3])  # of the square root of the Froude number
MEASURES = {
    "frequency": "stride frequency · √(L / g)",
    "duty_factor": "duty factor",
    "phase": "phase of the other foot [stride]",
}


@dataclass(frozen=True)
class Animal:
    """A body whose feet are followed."""

    model: Path
    feet: tuple[str, str]
    """Shapes of the feet, left and right."""
    leg_length: float
    """Height of the hip [m]: what makes speeds and times dimensionless."""


BIRD = Animal(SKELETON, ("left_toe", "right_toe"), 0.95)
OSTRICH = Animal(ROBOT, ("left_lower_leg_collision", "right_lower_leg_collision"), 0.24)


def strides(motion: Motion, animal: Animal) -> dict[str, np.ndarray]:
    """Measure every stride, from one touchdown of a foot to its next, along a path that turns by at most 60 degrees.

    Args:
        motion: clips.
        animal: whose they are.

    Returns:
        ``speed`` (the square root of the Froude number), ``frequency`` (dimensionless), ``duty_factor`` and ``phase`` (in
        strides), each with one number for each stride.
    """
    unit_speed, unit_time = np.sqrt(GRAVITY * animal.leg_length), np.sqrt(animal.leg_length / GRAVITY)
    robot = RobotModel(animal.model, motion.joint_names)
    dt, rows = motion.known_dt, []
    for states in motion.clips():
        path = root_path(states, motion.spec, dt)
        feet = _foot_paths(robot, path, states[:, motion.spec.features["joint_pos"]], animal)
        contacts = _contacts(feet, path.position, animal.leg_length, dt)
        heading = np.unwrap(path.rotation.as_euler("ZYX")[:, 0])
        for foot in (0, 1):
            starts, others = (np.flatnonzero(np.diff(contacts[:, f].astype(int)) == 1) + 1 for f in (foot, 1 - foot))
            for first, last in pairwise(starts):
                between = others[(others >= first) & (others < last)]
                if len(between) != 1 or np.ptp(heading[first:last]) > np.pi / 3:
                    continue
                time = (last - first) * dt
                speed = np.linalg.norm(path.position[last, :2] - path.position[first, :2]) / time
                duty_factor = contacts[first:last, foot].mean()
                rows.append((speed / unit_speed, unit_time / time, duty_factor, (between[0] - first) / (last - first)))
    return dict(zip(("speed", *MEASURES), np.array(rows).reshape(-1, 4).T))


def _foot_paths(robot: RobotModel, path: RootPath, joints: np.ndarray, animal: Animal) -> np.ndarray:
    """Centres of the feet above the ground, (T, 2, 3) [m]."""
    feet = np.empty((len(joints), 2, 3))
    for frame in range(len(joints)):
        robot.pose(path.position[frame], path.rotation[frame], joints[frame])
        feet[frame] = [robot.data.geom(name).xpos for name in animal.feet]
    return feet


def _contacts(feet: np.ndarray, root: np.ndarray, leg_length: float, dt: float) -> np.ndarray:
    """Whether each foot is on the ground, (T, 2): low, and slow beside the body."""
    unit_speed, unit_time = np.sqrt(GRAVITY * leg_length), np.sqrt(leg_length / GRAVITY)
    foot_speed = np.linalg.norm(np.gradient(feet[..., :2], dt, axis=0), axis=-1)
    averaged = max(1, round(3 * unit_time / dt))
    body_speed = uniform_filter1d(np.linalg.norm(np.gradient(root[:, :2], dt, axis=0), axis=-1), averaged)
    is_slow = foot_speed < 0.35 * body_speed[:, None] + 0.03 * unit_speed
    is_low = feet[..., 2] < np.percentile(feet[..., 2], 2, axis=0) + 0.06 * leg_length
    return binary_closing(np.pad(is_slow & is_low, ((2, 2), (0, 0)), "edge"), np.ones((3, 1)))[2:-2]


def medians(found: dict[str, np.ndarray]) -> dict[str, dict[str, float | int]]:
    """Return the number of strides and the median of each measure in each range of speed."""
    table = {}
    for low, high in pairwise(BIN_EDGES):
        inside = (found["speed"] >= low) & (found["speed"] < high)
        if inside.sum() >= 3:
            values = {name: round(float(np.median(found[name][inside])), 3) for name in MEASURES}
            table[f"{low:.1f} to {high:.1f}"] = {"strides": int(inside.sum()), **values}
    return table


def draw(groups: dict[str, dict[str, np.ndarray]], out: Path) -> None:
    """Draw each measure over the speed, a point for each stride."""
    figure, axes = plt.subplots(1, len(MEASURES), figsize=(13, 4.2), layout="constrained")
    for axis, (name, label) in zip(axes, MEASURES.items()):
        for (group, found), colour in zip(groups.items(), ("0.45", "tab:orange", "tab:red", "tab:blue", "tab:green")):
            axis.plot(found["speed"], found[name], ".", color=colour, alpha=0.35, markersize=5, label=group)
        axis.set_xlabel("speed / √(g L), the square root of the Froude number")
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    axes[1].axhline(0.5, color="0.7", linewidth=1)
    axes[0].set_ylim(0.1, 0.8)
    axes[0].legend(markerscale=2)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--birds", required=True, help="clips of the skeleton of motions/real_ostrich")
    parser.add_argument(
        "--policy", nargs="+", action="append", default=[], metavar=("NAME", "FILE"), help="recordings of a policy"
    )
    parser.add_argument("--out", type=Path, default=Path("outputs/real_birds.png"), help="picture (default: %(default)s)")
    args = parser.parse_args()
    groups = {
        "real ostriches": strides(load_motion(args.birds), BIRD),
        "walking reference": strides(load_motion("motions/walk.npz"), OSTRICH),
        "running reference": strides(load_motion("motions/run.npz"), OSTRICH),
    }
    for policy, *recordings in args.policy:
        parts = [strides(load_motion(path), OSTRICH) for path in recordings]
        groups[policy] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    print(json.dumps({group: medians(found) for group, found in groups.items()}, indent=2))
    draw(groups, args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
