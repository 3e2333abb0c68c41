#!/usr/bin/env python3
"""Synthesise the reference motion: ``motions/walk.npz``, ``motions/run.npz`` and their entries in ``motions/manifest.json``.

    python scripts/synthesise_motions.py [--out motions] [--velocity_frame world]

The same code gives the same bytes. The commands fill the task's ranges evenly (straight ahead, and a Halton sequence
over all), because a discriminator compares distributions: speeds that the reference lacks would count as bad style.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import get_args

import numpy as np

from amp_runner import Motion, load_motion, save_motion
from amp_runner.state import VelocityFrame
from ostrich_env.gait.footfall import RUN, GaitParameters
from ostrich_env.gait.walk import ostrich_spec, walking_clip

DT = 0.02  # [s]
CLIP_SECONDS = 3.0
WALK_RANGES = np.array([(-0.8, 0.8), (-0.5, 0.5), (-0.3, 0.3)])  # vx, vy [m/s], yaw rate [rad/s]
RUN_RANGES = np.array([(0.7, 1.1), (-0.2, 0.2), (-0.3, 0.3)])
NUM_ON_THE_SPOT = 3  # about as often as the task commands to stand
NUM_STRAIGHT, NUM_MIXED = 24, 40  # of the walk
LICENCE = "BSD-3-Clause"


def halton(count: int, base: int) -> np.ndarray:
    """The first numbers of the Halton sequence with the given base, in (0, 1)."""
    values = np.zeros(count)
    for i in range(count):
        index, fraction = i + 1, 1.0
        while index:
            fraction /= base
            values[i] += fraction * (index % base)
            index //= base
    return values


def commands(ranges: np.ndarray, num_straight: int, num_mixed: int) -> np.ndarray:
    """One command for each clip, straight ahead and mixed, shape (C, 3)."""
    unit = np.stack([halton(num_mixed, base) for base in (2, 3, 5)], axis=1)
    mixed = ranges[:, 0] + unit * (ranges[:, 1] - ranges[:, 0])
    straight = np.zeros((num_straight, 3))
    straight[:, 0] = np.linspace(*ranges[0], num_straight)
    return np.concatenate([straight, mixed]).round(3)


def walk(path: Path, velocity_frame: str = "heading") -> Motion:
    """Clips of steady walking, and of stepping on the spot."""
    on_the_spot = np.zeros((NUM_ON_THE_SPOT, 3))
    return clips_of(np.concatenate([on_the_spot, commands(WALK_RANGES, NUM_STRAIGHT, NUM_MIXED)]), path, velocity_frame)


def run(path: Path, velocity_frame: str = "heading") -> Motion:
    """Clips of steady running."""
    return clips_of(commands(RUN_RANGES, 9, 15), path, velocity_frame, RUN)


def clips_of(
    clip_commands: np.ndarray, path: Path, velocity_frame: str = "heading", gait: GaitParameters | None = None
) -> Motion:
    """A clip for each command, (C, 3); with world velocities all begin facing along x."""
    spec = ostrich_spec(velocity_frame=velocity_frame)
    phases = halton(len(clip_commands), 7)
    clips = [walking_clip(c, CLIP_SECONDS, DT, spec, p, gait) for c, p in zip(clip_commands, phases)]
    lengths = np.array([len(clip) for clip in clips])
    return Motion.with_spec(
        spec,
        path=str(path),
        # Rounded, because the last digit of a sine differs between processors.
        states=np.concatenate(clips).astype(np.float64).round(6).astype(np.float32),
        clip_lengths=lengths,
        dt=DT,
        commands=np.repeat(clip_commands, lengths, axis=0).astype(np.float32),
        source="scripts/synthesise_motions.py",
        licence=LICENCE,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("motions"), help="folder to write to (default: %(default)s)")
    frames = get_args(VelocityFrame)
    parser.add_argument("--velocity_frame", choices=frames, default="heading", help="of the root (default: %(default)s)")
    args = parser.parse_args()
    out = args.out
    out.mkdir(parents=True, exist_ok=True)
    manifest_path = out / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    for make, physics in ((walk, "inverted-pendulum body motion"), (run, "a bouncing inverted pendulum as body motion")):
        path = out / f"{make.__name__}.npz"
        save_motion(make(path, args.velocity_frame))
        written = load_motion(path)
        seconds = len(written.states) * DT
        manifest[path.name] = {
            "source": f"synthesised: foot placement, {physics}, inverse kinematics",
            "made_by": "python scripts/synthesise_motions.py",
            "licence": LICENCE,
            "seconds": seconds,
            "sha256": written.sha256,
        }
        print(f"{path}: {len(written.clip_lengths)} clips, {seconds:.0f} s, sha256 {written.sha256}")
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
