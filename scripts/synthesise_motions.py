#!/usr/bin/env python3
"""Synthesise the reference motion: ``motions/walk.npz`` and its entry in ``motions/manifest.json``.

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
from ostrich_env.gait import ostrich_spec, walking_clip

DT = 0.02  # [s]
CLIP_SECONDS = 3.0
COMMAND_RANGES = np.array([(-0.8, 0.8), (-0.5, 0.5), (-0.3, 0.3)])  # vx, vy [m/s], yaw rate [rad/s]
NUM_ON_THE_SPOT = 3  # about as often as the task commands to stand
NUM_STRAIGHT = 24
NUM_MIXED = 40
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


def commands() -> np.ndarray:
    """One command for each clip, shape (C, 3)."""
    unit = np.stack([halton(NUM_MIXED, base) for base in (2, 3, 5)], axis=1)
    mixed = COMMAND_RANGES[:, 0] + unit * (COMMAND_RANGES[:, 1] - COMMAND_RANGES[:, 0])
    straight = np.zeros((NUM_STRAIGHT, 3))
    straight[:, 0] = np.linspace(*COMMAND_RANGES[0], NUM_STRAIGHT)
    return np.concatenate([np.zeros((NUM_ON_THE_SPOT, 3)), straight, mixed]).round(3)


def walk(path: Path, velocity_frame: str = "heading") -> Motion:
    """Clips of steady walking, one for each command; with world velocities all begin facing along x."""
    spec = ostrich_spec(velocity_frame=velocity_frame)
    clip_commands = commands()
    phases = halton(len(clip_commands), 7)
    clips = [walking_clip(c, CLIP_SECONDS, DT, spec, p) for c, p in zip(clip_commands, phases)]
    lengths = np.array([len(clip) for clip in clips])
    return Motion(
        path=str(path),
        # Rounding keeps the bytes the same on processors whose sines differ in the last digit.
        states=np.concatenate(clips).astype(np.float64).round(6).astype(np.float32),
        clip_lengths=lengths,
        dt=DT,
        joint_names=spec.joint_names,
        layout=spec.layout,
        velocity_frame=spec.velocity_frame,
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
    motion = walk(out / "walk.npz", args.velocity_frame)
    save_motion(motion)
    written = load_motion(motion.path)
    manifest_path = out / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    manifest["walk.npz"] = {
        "source": "synthesised: foot placement, inverted-pendulum body motion, inverse kinematics",
        "made_by": "python scripts/synthesise_motions.py",
        "licence": LICENCE,
        "seconds": len(written.states) * DT,
        "sha256": written.sha256,
    }
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{motion.path}: {len(written.clip_lengths)} clips, {len(written.states) * DT:.0f} s, sha256 {written.sha256}")


if __name__ == "__main__":
    main()
