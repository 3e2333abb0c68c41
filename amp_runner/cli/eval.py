"""``amp-eval``: measure the gait of a trained policy against its reference motion."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from amp_runner.cli.common import run_command
from amp_runner.env_interface import velocity_command
from amp_runner.errors import ConfigError, MotionError
from amp_runner.evaluation import gait_metrics as gait
from amp_runner.isaaclab.simulation import Simulation, add_arguments, hold_commands, simulation
from amp_runner.motions.clip import Motion, load_motion
from amp_runner.motions.dataset import at_step_dt, check_fit
from amp_runner.motions.edit import concat_motions
from amp_runner.state import AMPStateSpec

COMMANDS = np.array(
    [(v, 0.0, 0.0) for v in np.arange(9) * 0.1]
    + [(0.0, v, 0.0) for v in (-0.5, -0.25, 0.25, 0.5)]
    + [(v, 0.0, w) for v in (0.0, 0.4) for w in (-0.3, 0.3)]
    + [(0.4, v, 0.0) for v in (-0.25, 0.25)]
)
"""The grid of commands (vx, vy, yaw rate) [m/s, m/s, rad/s]: forward, sideways, turning, mixed."""
PUSH_INTERVAL = 4.0
"""Time between pushes [s]."""
PUSH_SPEED = 0.3
"""Largest change of velocity by a push, along x and along y [m/s]."""
_DISTANCE_SAMPLES = 20_000


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-eval``; returns the exit status."""
    return run_command("amp-eval", evaluate, argv)


def evaluate(argv: list[str]) -> None:
    """Run the policy on the grid of commands, without pushes and with, and print and write the measures.

    Raises:
        AMPError: bad input.
    """
    if any(argument.split("=")[0] == "--export" for argument in argv):
        _evaluate_export(argv)
        return
    parser = argparse.ArgumentParser(
        prog="amp-eval",
        description="Measure a policy's gait against reference motion.",
        epilog="amp-eval --export DIR --motion PATH measures a policy that amp-export wrote, in plain MuJoCo.",
    )
    add_arguments(parser, needs_checkpoint=True)
    _add_measuring_arguments(parser)
    options: dict[str, Any] = {}

    def configure(args: argparse.Namespace, env_cfg: Any) -> None:
        _check_arguments(args)
        options.update(vars(args))
        env_cfg.scene.num_envs = args.num_envs
        env_cfg.episode_length_s = args.seconds + 1.0
        hold_commands(env_cfg)
        step_dt = env_cfg.sim.dt * env_cfg.decimation
        options["reference"] = load_reference(args.motion, step_dt, AMPStateSpec.from_env_cfg(env_cfg))

    with simulation(parser, argv, configure) as sim:
        rollout, pushed = record_rollout(sim, sim.load_policy(), options["seconds"], _commands(options["speeds"]))
    _report(rollout, pushed, options["reference"], options["json"], options["plots"])


def _add_measuring_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--motion",
        required=True,
        action="append",
        metavar="PATH",
        help="reference clips (.npz) with commands; repeatable: a robot is compared with the clip whose command is nearest",
    )
    parser.add_argument("--num_envs", type=int, default=256, help="robots; half of them are pushed (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the test [s] (default: %(default)s)")
    parser.add_argument(
        "--speeds", type=float, nargs="+", metavar="V", help="walk straight ahead at these speeds [m/s] (default: the grid)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the measures there")
    parser.add_argument("--plots", metavar="DIR", help="write footfall, phase, speed and spectrum plots there")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _check_arguments(args: argparse.Namespace) -> None:
    if args.num_envs < 2:
        raise ConfigError(f"--num_envs {args.num_envs}: expected at least 2, one to be left alone and one to be pushed")
    if not np.isfinite(args.speeds or []).all():
        raise ConfigError(f"--speeds {' '.join(map(str, args.speeds))}: expected finite numbers")
    shortest = gait.SETTLING_TIME + 0.5
    if not args.seconds >= shortest:
        raise ConfigError(f"--seconds {args.seconds:g}: expected at least {shortest:g}; the first 2 do not count")


def _evaluate_export(argv: list[str]) -> None:
    """Measure an exported policy in plain MuJoCo, from its own files only."""
    from amp_runner.deploy import DeployedPolicy
    from amp_runner.deploy.mujoco_robot import MujocoRobot
    from amp_runner.evaluation.mujoco_rollout import walk_commands

    parser = argparse.ArgumentParser(prog="amp-eval", description="Measure an exported policy's gait in plain MuJoCo.")
    parser.add_argument("--export", required=True, metavar="DIR", help="folder that amp-export wrote")
    _add_measuring_arguments(parser)
    parser.set_defaults(num_envs=2 * len(COMMANDS))
    args = parser.parse_args(argv)
    _check_arguments(args)
    policy = DeployedPolicy(args.export)
    robot = MujocoRobot(policy.description, policy.description.model_path(args.export))
    commands, pushed = command_grid(args.num_envs, _commands(args.speeds))
    random = np.random.default_rng(0)
    pushes = pushed[None, :, None] * random.uniform(
        -PUSH_SPEED, PUSH_SPEED, (int(args.seconds / PUSH_INTERVAL), args.num_envs, 2)
    )
    reference = load_reference(args.motion, policy.description.control_dt, policy.description.amp_spec)
    rollout = walk_commands(policy, robot, commands, args.seconds, pushes, PUSH_INTERVAL)
    _report(rollout, pushed, reference, args.json, args.plots)


def _commands(speeds: list[float] | None) -> np.ndarray:
    return COMMANDS if speeds is None else np.array([(speed, 0.0, 0.0) for speed in speeds])


def command_grid(num_envs: int, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The command of every robot, (N, 3), and which robots are pushed, (N,): the second half, with the first's commands."""
    pushed = np.arange(num_envs) >= num_envs // 2
    commands = grid[np.arange(num_envs) % len(grid)]
    commands[pushed] = commands[: int(pushed.sum())].copy()
    return commands, pushed


def _report(rollout: gait.Rollout, pushed: np.ndarray, reference: Motion, json_file: str | None, plots: str | None) -> None:
    result = compare(rollout, pushed, reference)
    print(json.dumps(result, indent=2))
    if json_file:
        Path(json_file).write_text(json.dumps(result, indent=2) + "\n")
    if plots:
        from amp_runner.evaluation.plots import write_plots

        write_plots(Path(plots), rollout.select(~pushed), reference, gait.hip_joint(rollout.spec.joint_names))


def compare(rollout: gait.Rollout, pushed: np.ndarray, reference: Motion) -> dict[str, float]:
    """Measures of the robots that were left alone, and falls of those that were pushed (N,), against the reference."""
    hip = gait.hip_joint(rollout.spec.joint_names)
    alone = rollout.select(~pushed)
    result = gait.measure(alone, hip)
    result["falls_per_minute_without_pushes"] = result.pop("falls_per_minute")
    result["falls_per_minute"] = gait.falls_per_minute(rollout.select(pushed))
    result |= gait.reference_measures(
        reference.clips(), reference.clip_commands(), alone.commands, rollout.dt, rollout.spec, hip
    )
    for name, unit in (("stride_frequency", "hz"), ("hip_amplitude", "rad")):
        found = result.get(f"{name}_{unit}", float("nan"))
        result[f"{name}_ratio"] = found / result[f"reference_{name}_{unit}"]
    start = round(gait.SETTLING_TIME / rollout.dt)
    expert = _some(gait.windows_of(reference.clips()))
    policy = _some(gait.windows_of(list(alone.states[start:].transpose(1, 0, 2))))
    result["style_distance"] = gait.style_distance(expert, policy)
    result["discriminator_auc"] = gait.two_sample_auc(expert, policy)
    return result


def record_rollout(sim: Simulation, policy: Any, seconds: float, grid: np.ndarray) -> tuple[gait.Rollout, np.ndarray]:
    """Run the policy on the commands of a grid, (C, 3).

    Returns:
        The rollout, and which robots were pushed, (N,); the first half of the robots is left alone.
    """
    from isaaclab.envs import mdp

    env, unwrapped = sim.env, sim.env.unwrapped
    num_envs, dt = env.num_envs, unwrapped.step_dt
    of_each, which = command_grid(num_envs, grid)
    commands = torch.tensor(of_each, dtype=torch.float32, device=env.device)
    pushed = torch.tensor(which, device=env.device)
    command_term = velocity_command(unwrapped)
    probe = _Probe(unwrapped, sim.env_cfg)
    frames: list[dict[str, torch.Tensor]] = []
    command_term.vel_command_b[:] = commands
    # Forget the first frame's command, which was drawn at random.
    unwrapped.observation_manager.reset()
    unwrapped.obs_buf = unwrapped.observation_manager.compute(update_history=True)
    obs = env.get_observations()
    with torch.inference_mode():
        for step in tqdm(range(round(seconds / dt)), desc="evaluating", unit="step", mininterval=1.0):
            actions = policy(obs)
            time = unwrapped.episode_length_buf * dt
            obs, _, dones, extras = env.step(actions)
            policy.reset(dones)
            command_term.vel_command_b[:] = commands
            frames.append(
                {
                    "states": obs["amp"].clone(),
                    "actions": actions.clone(),
                    "falls": dones.bool() & ~extras["time_outs"],
                    "episode_time": torch.where(dones.bool(), 0.0, time),
                    **probe.read(),
                }
            )
            if (step + 1) % round(PUSH_INTERVAL / dt) == 0:
                ids = pushed.nonzero().squeeze(-1).int()
                speed = (-PUSH_SPEED, PUSH_SPEED)
                mdp.push_by_setting_velocity(unwrapped, ids, {"x": speed, "y": speed})
    arrays = {name: torch.stack([frame[name] for frame in frames]).cpu().numpy() for name in frames[0]}
    rollout = gait.Rollout(commands=commands.cpu().numpy(), weight=probe.weight, dt=dt, spec=sim.spec, **arrays)
    return rollout, which


class _Probe:
    """Reads what gait measures need beyond the AMP state: feet and power."""

    def __init__(self, env: Any, env_cfg: Any) -> None:
        self.feet = getattr(env_cfg, "feet", None)
        if self.feet is None:
            raise ConfigError("the task does not say where the feet are: add feet = FeetCfg(...) to its configuration")
        self.env, self.robot = env, env.scene["robot"]
        self.sensor = env.scene.sensors[self.feet.contact_sensor]
        names = self.feet.body_names
        self.bodies = self.robot.find_bodies(names, preserve_order=True)[0]
        self.contacts = self.sensor.find_sensors(names, preserve_order=True)[0]
        self.offset = torch.tensor(self.feet.offset, device=env.device)
        self.weight = float(self.robot.data.body_mass.torch[0].sum()) * 9.81

    def read(self) -> dict[str, torch.Tensor]:
        """Foot velocity, height and contact, and joint power, after a step."""
        from isaaclab.utils.math import quat_apply

        data = self.robot.data
        pose, velocity = data.body_link_pose_w.torch[:, self.bodies], data.body_link_vel_w.torch[:, self.bodies]
        arm = quat_apply(pose[..., 3:7], self.offset.expand_as(pose[..., :3]))
        height = pose[..., 2] + arm[..., 2] - self.feet.radius - self.env.scene.env_origins[:, None, 2]
        arm[..., 2] -= self.feet.radius  # the point that touches the ground
        force = self.sensor.data.net_normal_forces_w.torch[:, self.contacts]
        return {
            "foot_velocity": velocity[..., :3] + torch.cross(velocity[..., 3:6], arm, dim=-1),
            "foot_height": height.clone(),
            "foot_contact": force.norm(dim=-1) > gait.CONTACT_FORCE,
            "power": (data.applied_torque.torch * data.joint_vel.torch).abs().sum(dim=-1),
        }


def load_reference(paths: list[str], step_dt: float, spec: AMPStateSpec | None) -> Motion:
    """The clips of all files as one motion, each resampled to the task's time step [s].

    Raises:
        ConfigError: the task's AMP velocities are in a frame in which commands are not followed.
        MotionError: a file does not fit the task, or has no commands to compare at.
    """
    if spec is not None and spec.velocity_frame != "heading":
        raise ConfigError(
            f"the task's AMP velocities are in the {spec.velocity_frame} frame, and gaits are measured in the heading one; "
            "evaluate, or export, with env.observations.amp.state.params.velocity_frame=heading, and clips in that frame"
        )
    motions = [load_motion(path) for path in paths]
    for motion in motions:
        check_fit(motion, spec=spec)
        if motion.commands is None:
            raise MotionError(f"{motion.path}: has no 'commands'; amp-eval compares at equal commands: store them, (T, 3)")
    return concat_motions([at_step_dt(motion, step_dt, resample=True) for motion in motions])


def _some(windows: np.ndarray) -> np.ndarray:
    index = np.random.default_rng(0).permutation(len(windows))[:_DISTANCE_SAMPLES]
    return windows[index].astype(np.float64)


if __name__ == "__main__":
    sys.exit(main())
