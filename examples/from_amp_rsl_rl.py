#!/usr/bin/env python3
"""Coming from amp-rsl-rl: translate its configuration and its motion files, and compare the states of both.

    python examples/from_amp_rsl_rl.py [walk.npy ...] [--step_dt 0.02] [--out clips]

Without a file it writes one of the ostrich's clips in amp-rsl-rl's format first. The facts are those of version 2.2.3.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from amp_runner import load_motion
from amp_runner.motions.convert import Conversion, Trajectory, convert_file, read_trajectory
from amp_runner.motions.root_path import root_path

LAYOUT = ("joint_pos", "joint_vel", "root_lin_vel", "root_ang_vel")
"""amp-rsl-rl's AMP observation as features; its velocities are in the body's frame."""
THEIR_CONFIGURATION = {
    "style_weight": 0.5,
    "algorithm": {"class_name": "AMP_PPO", "gamma": 0.99, "amp_replay_buffer_size": 100_000},
    "discriminator": {"hidden_dims": [512, 256], "reward_scale": 1.0, "loss_type": "BCEWithLogits"},
    "dataset": {"amp_data_path": "motions", "datasets": {"walk": 1.0}, "slow_down_factor": 1},
}


def translate(theirs: dict[str, Any], step_dt: float, folder: str = "clips") -> dict[str, Any]:
    """Translate amp-rsl-rl's ``train_cfg``.

    Args:
        theirs: a runner's configuration.
        step_dt: the environment's time step [s]. The task's reward terms are multiplied by it, theirs for style is not.
        folder: where the converted clips are.

    Returns:
        The configuration for :class:`amp_runner.AMPOnPolicyRunner`; RSL-RL's own settings stay.
    """
    algorithm, discriminator, dataset = theirs["algorithm"], theirs["discriminator"], theirs["dataset"]
    share = theirs.get("style_weight", 0.5)
    amp_cfg = {
        "motions": [{"path": f"{folder}/{name}.npz", "weight": w} for name, w in dataset["datasets"].items()],
        # They mix (1 - w) task + w style; PPO does not mind a common factor, so the task keeps its weight of 1.
        "style_weight": share * discriminator["reward_scale"] / ((1 - share) * step_dt),
        "replay_size": algorithm.get("amp_replay_buffer_size", 100_000),
        "num_frames": 2,
        "discriminator": {"hidden_dims": discriminator["hidden_dims"], "gradient_penalty": 5.0},
    }
    own = {key: value for key, value in algorithm.items() if not key.startswith("amp_")}
    rest = {key: value for key, value in theirs.items() if key not in ("style_weight", "discriminator", "dataset")}
    return rest | {"algorithm": own | {"class_name": "amp_runner:AMPPPO", "amp_cfg": amp_cfg}}


def their_states(motion: Trajectory) -> np.ndarray:
    """Compute the states as amp-rsl-rl does, by forward differences, (T - 1, 2 J + 6)."""
    rotation = Rotation.from_quat(motion.root_quat)
    turn = (rotation[1:] * rotation[:-1].inv()).as_rotvec() / motion.dt
    into_body = rotation[:-1].inv()
    joint_vel = np.diff(motion.joint_pos, axis=0) / motion.dt
    root_vel = into_body.apply(np.diff(motion.root_pos, axis=0) / motion.dt)
    return np.concatenate([motion.joint_pos[:-1], joint_vel, root_vel, into_body.apply(turn)], axis=1)


def write_their_file(path: Path) -> str:
    """Write one of the ostrich's clips in amp-rsl-rl's format."""
    motion = load_motion(Path(__file__).parents[1] / "motions" / "walk.npz")
    states = motion.clips()[21]
    root = root_path(states, motion.spec, motion.known_dt)
    clip = {
        "joints_list": list(motion.spec.joint_names),
        "joint_positions": list(states[:, motion.spec.features["joint_pos"]]),
        "root_position": list(root.position),
        "root_quaternion": list(root.rotation.as_quat()),
        "fps": 1.0 / motion.known_dt,
    }
    np.save(path, clip, allow_pickle=True)
    return str(path)


def main(argv: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="motion files of amp-rsl-rl (.npy)")
    parser.add_argument("--step_dt", type=float, default=0.02, help="the environment's time step [s] (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("clips"), help="folder for the clips (default: %(default)s)")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(translate(THEIR_CONFIGURATION, args.step_dt, str(args.out)), indent=2))
    conversion = Conversion(dt=args.step_dt, spec={"layout": LAYOUT, "velocity_frame": "body"})
    differences = {}
    for file in args.files or [write_their_file(args.out / "walk.npy")]:
        clip = args.out / f"{Path(file).stem}.npz"
        print(convert_file(file, str(clip), conversion))
        motion, source = load_motion(clip), read_trajectory(file)
        if not np.isclose(source.dt, args.step_dt):
            print("  not compared: the file has another frame rate")
            continue
        theirs = their_states(source)
        for name, columns in motion.spec.features.items():
            difference = motion.states[: len(theirs), columns] - theirs[:, columns]
            differences[name] = float(np.sqrt(np.mean(difference**2)))
            print(f"  {name:14s} differs by {differences[name]:.4f} (rms), of a spread of {theirs[:, columns].std():.3f}")
    return differences


if __name__ == "__main__":
    main()
