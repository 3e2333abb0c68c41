#!/usr/bin/env python3
"""What the legs' swing does to the body's yaw in the reference walk, if the ground does not hold against it.

    python benchmarks/yaw_momentum.py [--motion motions/walk.npz]

For each clip that walks straight ahead: the yaw rate that would balance the legs' angular momentum on feet that spin freely,
and the moment about the vertical that the ground has to give so that the body does not turn.
"""

from __future__ import annotations

import argparse

import mujoco
import numpy as np

from amp_runner import load_motion
from amp_runner.motions.robot_model import RobotModel
from amp_runner.motions.root_path import root_path
from ostrich_env.robot.description import FOOT_TORSION, LINKS

MODEL = "ostrich_env/robot/assets/ostrich.xml"


def yaw_momentum(robot: RobotModel, states: np.ndarray, spec, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertical angular momentum [kg m^2/s] and yaw inertia [kg m^2] about the centre of mass, (T,) each."""
    path, part = root_path(states, spec, dt), {name: states[:, columns] for name, columns in spec.features.items()}
    model, data = robot.model, robot.data
    momentum, inertia = np.empty(len(states)), np.empty(len(states))
    for t in range(len(states)):
        robot.pose(path.position[t], path.rotation[t], part["joint_pos"][t])
        data.qvel[:3] = part["root_lin_vel"][t]
        data.qvel[3:6] = path.rotation[t].inv().apply(part["root_ang_vel"][t])
        data.qvel[6:] = part["joint_vel"][t]
        mujoco.mj_forward(model, data)
        mujoco.mj_subtreeVel(model, data)
        momentum[t] = data.subtree_angmom[1, 2]
        arms = data.xipos[1:] - data.subtree_com[1]
        turned = data.ximat[1:].reshape(-1, 3, 3)
        own = np.einsum("bij,bj,bij->bi", turned, model.body_inertia[1:], turned)[:, 2]
        inertia[t] = (own + model.body_mass[1:] * (arms[:, :2] ** 2).sum(axis=1)).sum()
    return momentum, inertia


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", default="motions/walk.npz", help="reference clips (default: %(default)s)")
    motion = load_motion(parser.parse_args().motion)
    spec, robot = motion.spec, RobotModel(MODEL, motion.joint_names)
    weight = 9.81 * sum(link.mass for link in LINKS)
    held = FOOT_TORSION * weight
    print(f"one foot can hold {held:.2f} N m ({FOOT_TORSION * 1000:g} mm of {weight:.0f} N)")
    print("speed [m/s]   yaw rate unheld, mean |w| [rad/s]   moment to hold, mean and largest [N m]   time above one foot's")
    for states, command in zip(motion.clips(), motion.clip_commands()):
        if abs(command[1]) + abs(command[2]) > 1e-6 or command[0] < 0.25:
            continue
        momentum, inertia = yaw_momentum(robot, states, spec, motion.dt)
        unheld = np.abs((momentum - momentum.mean()) / inertia).mean()
        moment = np.abs(np.gradient(momentum, motion.dt))
        share = (moment > held).mean()
        print(f"{command[0]:11.2f}   {unheld:35.2f}   {moment.mean():30.2f} {moment.max():8.2f}   {share:21.0%}")


if __name__ == "__main__":
    main()
