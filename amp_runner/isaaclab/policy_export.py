"""Describes a running Isaac Lab environment for the policy that is exported from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amp_runner.deploy.policy_description import (
    Actions,
    Joints,
    Observation,
    PolicyDescription,
    Robot,
    rounded,
    versions_of,
)
from amp_runner.env_interface import command_ranges, velocity_command
from amp_runner.errors import ConfigError
from amp_runner.isaaclab.access import robot_of
from amp_runner.isaaclab.joint_action import JointTargetMapping
from amp_runner.state import AMPStateSpec

_SIGNAL_OF = {
    "base_ang_vel": "base_ang_vel",
    "base_lin_vel": "base_lin_vel",
    "projected_gravity": "projected_gravity",
    "generated_commands": "command",
    "joint_pos": "joint_pos",
    "joint_pos_rel": "joint_pos",
    "joint_vel": "joint_vel",
    "joint_vel_rel": "joint_vel",
    "last_action": "last_action",
}
"""Signals of Isaac Lab's observation functions, by their names."""
_PACKAGES = ("amp-runner", "isaaclab", "newton", "onnx", "rsl-rl-lib", "torch")


def without_randomisation(env_cfg: Any) -> None:
    """Remove the start-up events, which randomise masses, gains and friction.

    Raises:
        ConfigError: the task is not manager-based.
    """
    events = getattr(env_cfg, "events", None)
    if events is None:
        raise ConfigError("amp-export needs a manager-based task; this one has no event terms")
    for name, event in vars(events).items():
        if getattr(event, "mode", None) in ("startup", "prestartup"):
            setattr(events, name, None)


def describe(env: Any, agent_cfg: Any, checkpoint: dict[str, Any], motions: dict[str, str], task: str) -> PolicyDescription:
    """Describe what a policy was trained in.

    Args:
        env: RSL-RL's wrapper of an Isaac Lab environment, without randomised gains.
        agent_cfg: the agent's configuration.
        checkpoint: file name and iteration.
        motions: SHA-256 of the reference motions by file name.
        task: the task's name.

    Raises:
        ConfigError: the task's actions are no joint positions, or it has no robot to describe.
    """
    unwrapped = env.unwrapped
    action = JointTargetMapping.from_env(env)
    robot = robot_of(unwrapped)
    data = robot.data
    actuators = {name: type(actuator).__name__ for name, actuator in robot.actuators.items()}
    joints = Joints(
        names=list(robot.joint_names),
        default_pos=rounded(data.default_joint_pos.torch[0]),
        **_gains(robot),
        armature=rounded(data.joint_armature.torch[0]),
        friction=rounded(data.joint_friction_coeff.torch[0]),
        actuators=actuators,
    )
    return PolicyDescription(
        task=task,
        control_dt=unwrapped.step_dt,
        physics_dt=unwrapped.physics_dt,
        observations=[entry for group in agent_cfg.obs_groups["actor"] for entry in _observations(unwrapped, group, joints)],
        actions=Actions(list(action.joint_names), rounded(action.offset), rounded(action.scale), agent_cfg.clip_actions),
        joints=joints,
        robot=_describe_robot(unwrapped, robot),
        command_ranges=command_ranges(unwrapped),
        checkpoint=checkpoint,
        motions=motions,
        versions=versions_of(_PACKAGES),
    )


def _gains(robot: Any) -> dict[str, list[float]]:
    """Stiffness, damping and effort limit of every joint; the simulator knows those of implicit actuators only."""
    data = robot.data
    gains = {
        "stiffness": data.joint_stiffness.torch[0].clone(),
        "damping": data.joint_damping.torch[0].clone(),
        "effort_limit": data.joint_effort_limits.torch[0].clone(),
    }
    for actuator in robot.actuators.values():
        if actuator.is_implicit_model:
            continue
        for name, values in gains.items():
            values[actuator.joint_indices] = getattr(actuator, name)[0]
    return {name: rounded(values) for name, values in gains.items()}


def measured_signals(env: Any, env_id: int = 0) -> dict[str, np.ndarray]:
    """The signals of one of the environment's robots, as its sensors would measure them without noise."""
    unwrapped = env.unwrapped
    data = robot_of(unwrapped).data
    return {
        "base_ang_vel": data.root_ang_vel_b.torch[env_id].cpu().numpy(),
        "base_lin_vel": data.root_lin_vel_b.torch[env_id].cpu().numpy(),
        "projected_gravity": data.projected_gravity_b.torch[env_id].cpu().numpy(),
        "command": velocity_command(unwrapped).command[env_id].cpu().numpy(),
        "joint_pos": data.joint_pos.torch[env_id].cpu().numpy(),
        "joint_vel": data.joint_vel.torch[env_id].cpu().numpy(),
    }


def joint_targets(env: Any) -> np.ndarray:
    """The joint position targets of the last step, in the order of the actions, (A,) [rad]."""
    manager = env.unwrapped.action_manager
    return manager.get_term(manager.active_terms[0]).processed_actions[0].cpu().numpy()


def write_model(sim: Any, folder: Path) -> str | None:
    """Copy the robot's MJCF file, if the task names one as ``mjcf``; return the file's name."""
    model = getattr(sim.env_cfg, "mjcf", None)
    if model is None:
        return None
    copied = folder / Path(model).name
    if not copied.exists() or not copied.samefile(model):
        shutil.copyfile(model, copied)
    return copied.name


def _observations(unwrapped: Any, group: str, joints: Joints) -> list[Observation]:
    manager, cfg = unwrapped.observation_manager, getattr(unwrapped.cfg.observations, group)
    entries = []
    for name, shape in zip(manager.active_terms[group], manager.group_obs_term_dim[group]):
        term = getattr(cfg, name)
        history = max(1, term.history_length if cfg.history_length is None else cfg.history_length)
        size = int(np.prod(shape)) // history
        function = term.func if hasattr(term.func, "__name__") else type(term.func)
        is_plain = not term.modifiers and not term.delay_max_lag
        signal = _SIGNAL_OF.get(function.__name__) if is_plain else None
        entry = Observation(
            name=f"{group}.{name}",
            signal=signal,
            function=f"{function.__module__}.{function.__name__}",
            size=size,
            offset=[0.0] * size,
            scale=rounded(torch.ones(size) * torch.as_tensor(1.0 if term.scale is None else term.scale).cpu()),
            clip=None if term.clip is None else list(term.clip),
            history=history,
        )
        if signal in ("joint_pos", "joint_vel"):
            ids = term.params["asset_cfg"].joint_ids if "asset_cfg" in term.params else slice(None)
            entry.joints = list(np.array(joints.names)[ids if isinstance(ids, slice) else list(ids)])
            if function.__name__ == "joint_pos_rel":
                entry.offset = [joints.default_pos[joints.names.index(joint)] for joint in entry.joints]
        entries.append(entry)
    return entries


def _describe_robot(unwrapped: Any, robot: Any) -> Robot:
    feet, spec = getattr(unwrapped.cfg, "feet", None), AMPStateSpec.from_env_cfg(unwrapped.cfg)
    return Robot(
        model=None,
        base_height=float(robot.data.default_root_pose.torch[0, 2]),
        feet=feet and {"body_names": list(feet.body_names), "offset": list(feet.offset), "radius": feet.radius},
        amp_state=spec and spec.to_dict(),
        velocity_point=rounded(robot.data.body_com_pos_b.torch[0, 0]),  # Isaac Lab gives the velocity of the centre of mass
    )
