"""Periodic gaits with known phases: recordings of robots and reference clips."""

import numpy as np

from amp_runner import AMPStateSpec, Motion
from amp_runner.evaluation.gait_metrics import GaitRecording

DT = 0.02
BIPED = AMPStateSpec(("left_hip", "left_knee", "right_hip", "right_knee"))
QUADRUPED = AMPStateSpec(tuple(f"{leg}_{joint}" for leg in ("FL", "FR", "RL", "RR") for joint in ("thigh", "calf")))
WALK, TROT, PACE = (0.0, 0.5), (0.0, 0.5, 0.5, 0.0), (0.0, 0.5, 0.0, 0.5)


def gait(spec, command, seconds=8.0, frequency=2.0, legs=WALK, lag=0.25, amplitude=0.3, start=0.0, noise=0.0, seed=0):
    """States (T, D) of one robot; each knee follows its hip by ``lag``; ``noise`` is its own constant offset and sway."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds / DT)) * DT
    # Legs alternate with their knees in the joint names.
    offsets = np.ravel([(leg, leg + lag) for leg in legs])
    angle = 2 * np.pi * (frequency * time[:, None] + start - offsets)
    states = np.zeros((len(time), spec.dim))
    states[:, spec.features["root_height"]] = 0.3 + 0.01 * np.cos(2 * angle[:, :1])
    states[:, spec.features["projected_gravity"]] = [0.0, 0.0, -1.0]
    states[:, spec.features["joint_pos"]] = amplitude * np.cos(angle) + 0.1 * amplitude * np.cos(2 * angle)
    states[:, spec.features["joint_vel"]] = np.gradient(states[:, spec.features["joint_pos"]], DT, axis=0)
    states[:, spec.features["root_lin_vel"]] = [command[0], command[1], 0.0]
    states[:, spec.features["root_ang_vel"]] = [0.0, 0.0, command[2]]
    return states + noise * (rng.normal(size=spec.dim) + 0.3 * rng.normal(size=states.shape))


def recording(spec, states, commands):
    """Recording of robots with the given states, each (T, D)."""
    steps, count, feet = len(states[0]), len(states), len(spec.joint_names) // 2
    return GaitRecording(
        states=np.stack(states, axis=1),
        commands=np.array(commands, dtype=float),
        episode_time=np.repeat(np.arange(steps)[:, None] * DT, count, axis=1),
        falls=np.zeros((steps, count), dtype=bool),
        actions=np.zeros((steps, count, len(spec.joint_names))),
        foot_velocity=np.zeros((steps, count, feet, 3)),
        foot_height=np.zeros((steps, count, feet)),
        foot_contact=np.ones((steps, count, feet), dtype=bool),
        power=np.ones((steps, count)),
        weight=10.0,
        dt=DT,
        spec=spec,
    )


def motion(spec, clips, commands):
    """Reference motion of clips, each (T_c, D), with one command each."""
    lengths = np.array([len(clip) for clip in clips])
    every = np.repeat(np.array(commands, dtype=np.float32), lengths, axis=0)
    return Motion.with_spec(spec, "clips", np.concatenate(clips).astype(np.float32), lengths, dt=DT, commands=every)


def robots(spec, commands, each=4, noise=0.003, **kind):
    """Recording of ``each`` robots a command, which differ in phase and by noise."""
    walkers = [
        gait(spec, command, start=0.13 * number, noise=noise, seed=17 * index + number + 1, **kind)
        for number in range(each)
        for index, command in enumerate(commands)
    ]
    return recording(spec, walkers, list(commands) * each)
