#!/usr/bin/env python3
"""Make clips of real ostriches: of the bird's skeleton, and of the robot that walks like them.

    git clone --depth 1 https://github.com/vittorione94/ostrichrl
    python scripts/real_ostrich.py ostrichrl/ostrichrl/assets/mocap/ostrich/qpos --out outputs/real_ostrich

The recordings are those of La Barbera et al. 2021 (arXiv 2112.06061; MIT licence). Writes ``birds.npz``, all recordings on
the skeleton, and ``walk.npz``, the parts that walk, retargeted to the robot at equal Froude number.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import uniform_filter1d
from tqdm import tqdm

from amp_runner import AMPStateSpec, Motion, load_motion, save_motion
from amp_runner.motions.convert import Conversion, to_motion
from amp_runner.motions.convert.conversion import convert_files, motion_files
from amp_runner.motions.edit import concat_motions
from amp_runner.motions.retarget import RetargetMap, retarget
from amp_runner.motions.robot_model import RobotModel
from ostrich_env.robot import MJCF
from ostrich_env.robot.description import JOINT_NAMES

BIRD = Path(__file__).parents[1] / "motions" / "real_ostrich"
DT = 0.02  # [s]
WALKS_BELOW = 2.0  # [m/s]; nothing was recorded between a walk and a run
UNCERTAIN = 6  # last frames of a recording, whose velocities have no successor
MOVING = 0.08  # smallest forward velocity of a part that walks, of the robot [m/s]
SHORTEST, AVERAGED = 25, 25  # frames of a part that walks, and over which the velocity is averaged
LICENCE = "MIT"


def birds(qpos: str) -> list[Motion]:
    """Read the recordings, as clips of the skeleton whose toes stand on the ground."""
    conversion = Conversion(robot=str(BIRD / "skeleton.xml"), ground=True, licence=LICENCE)
    files = motion_files([qpos])
    with tempfile.TemporaryDirectory() as folder:
        found = list(tqdm(convert_files(files, folder, conversion), total=len(files), desc="reading", unit="file"))
        errors = [f"{file.path}: {file.error}" for file in found if file.error]
        if errors:
            raise SystemExit("\n".join(errors))
        return [load_motion(Path(folder) / out) for _, out in files]


def walks(recordings: list[Motion]) -> Motion:
    """Retarget the slow recordings to the robot, and keep what walks forward."""
    mapping = RetargetMap.load(BIRD / "map.yaml")
    robot, spec = RobotModel(MJCF, JOINT_NAMES), AMPStateSpec(joint_names=JOINT_NAMES)
    parts = []
    for recording in tqdm(recordings, desc="retargeting", unit="recording"):
        skeleton = RobotModel(BIRD / "skeleton.xml", recording.joint_names)
        (trajectory,) = retarget(recording, skeleton, robot, mapping)
        clip = to_motion(trajectory, spec, recording.path, dt=DT, smoothing=0.06)
        parts += _walking_parts(replace(clip, source=recording.source, licence=LICENCE))
    return concat_motions(parts)


def _walking_parts(clip: Motion) -> list[Motion]:
    states = clip.states[:-UNCERTAIN]
    velocity = states[:, clip.spec.features["root_lin_vel"]][:, 0].astype(float)
    moves = uniform_filter1d(velocity, AVERAGED, mode="nearest") > MOVING
    edges = np.flatnonzero(np.diff(moves.astype(int), prepend=0, append=0))
    parts = [slice(*edge) for edge in edges.reshape(-1, 2) if edge[1] - edge[0] >= SHORTEST]
    return [
        replace(
            clip, states=states[part], commands=clip.commands[:-UNCERTAIN][part], clip_lengths=np.array([len(states[part])])
        )
        for part in parts
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("qpos", help="folder of the recordings")
    parser.add_argument("--out", type=Path, default=Path("outputs/real_ostrich"), help="folder (default: %(default)s)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    recordings = birds(args.qpos)
    slow = [r for r in recordings if r.states[:, r.spec.features["root_lin_vel"]][:, 0].mean() < WALKS_BELOW]
    for name, motion in (("birds", concat_motions(recordings)), ("walk", walks(slow))):
        path = args.out / f"{name}.npz"
        save_motion(replace(motion, path=str(path), source="real ostriches (La Barbera et al. 2021)"))
        print(f"{path}: {len(motion.clip_lengths)} clips, {len(motion.states) * motion.known_dt:.0f} s")


if __name__ == "__main__":
    main()
