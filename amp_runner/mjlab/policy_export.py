"""Describes a running mjlab environment for the policy that is exported from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
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
from amp_runner.mjlab.access import without_meshes

_SIGNAL_OF = {
    "base_ang_vel": "base_ang_vel",
    "base_lin_vel": "base_lin_vel",
    "projected_gravity": "projected_gravity",
    "generated_commands": "command",
    "joint_pos_rel": "joint_pos",
    "joint_vel_rel": "joint_vel",
    "last_action": "last_action",
}
"""Signals of mjlab's observation functions, by their names."""
_SENSORS = {mujoco.mjtSensor.mjSENS_GYRO: "base_ang_vel", mujoco.mjtSensor.mjSENS_VELOCIMETER: "base_lin_vel"}
_PACKAGES = ("amp-runner", "mjlab", "mujoco", "onnx", "rsl-rl-lib", "torch")
_SOLVER = ("integrator", "cone", "impratio", "solver", "iterations", "ls_iterations", "ccd_iterations")
"""Options of the simulation that the robot's file keeps."""


def without_randomisation(env_cfg: Any) -> None:
    """Remove the start-up events, which randomise masses, friction and sensors."""
    env_cfg.events = {name: event for name, event in env_cfg.events.items() if event.mode != "startup"}


def describe(env: Any, agent_cfg: Any, checkpoint: dict[str, Any], motions: dict[str, str], task: str) -> PolicyDescription:
    """Describe what a policy was trained in.

    Args:
        env: RSL-RL's wrapper of an mjlab environment, without randomisation.
        agent_cfg: the agent's configuration.
        checkpoint: file name and iteration.
        motions: SHA-256 of the reference motions by file name.
        task: the task's name.

    Raises:
        ConfigError: the task's actions are no joint positions, or a joint has no position controller.
    """
    unwrapped = env.unwrapped
    action, robot = _action(unwrapped), unwrapped.scene["robot"]
    joints = _describe_joints(unwrapped, robot)
    zero = torch.zeros_like(action.raw_action)
    return PolicyDescription(
        task=task,
        control_dt=unwrapped.step_dt,
        physics_dt=unwrapped.physics_dt,
        observations=[entry for group in agent_cfg.obs_groups["actor"] for entry in _observations(unwrapped, group, joints)],
        actions=Actions(
            list(action.target_names),
            rounded((zero + action.offset)[0]),
            rounded((zero + action.scale)[0]),
            agent_cfg.clip_actions,
        ),
        joints=joints,
        robot=Robot(
            model=None,
            base_height=float(robot.data.default_root_state[0, 2]),
            feet=_round_feet(unwrapped),
            amp_state=None,
            velocity_point=_velocity_point(unwrapped),
        ),
        command_ranges=command_ranges(unwrapped),
        checkpoint=checkpoint,
        motions=motions,
        versions=versions_of(_PACKAGES),
    )


def measured_signals(env: Any, env_id: int = 0) -> dict[str, np.ndarray]:
    """The signals of one of the environment's robots, as its sensors would measure them without noise."""
    unwrapped = env.unwrapped
    data, model = unwrapped.scene["robot"].data, unwrapped.sim.mj_model
    signals = {
        "base_ang_vel": data.root_link_ang_vel_b,
        "base_lin_vel": data.root_link_lin_vel_b,
        "projected_gravity": data.projected_gravity_b,
        "command": velocity_command(unwrapped).command,
        "joint_pos": data.joint_pos,
        "joint_vel": data.joint_vel,
    }
    for name, sensor in unwrapped.scene.sensors.items():
        signal = _sensor_signal(model, name)
        if signal is not None:
            signals[signal] = sensor.data
    return {name: value[env_id].cpu().numpy() for name, value in signals.items()}


def joint_targets(env: Any) -> np.ndarray:
    """The joint position targets of the last step, in the order of the actions, (A,) [rad]."""
    unwrapped = env.unwrapped
    return unwrapped.scene["robot"].data.joint_pos_target[0, _action(unwrapped).target_ids].cpu().numpy()


def write_model(sim: Any, folder: Path) -> str | None:
    """Write the robot on a floor as ``robot.xml``, without its visual meshes; return the file's name.

    A robot whose collisions or masses need meshes is not written, because the file would not be complete by itself.
    """
    robot = without_meshes(sim.env_cfg.scene.entities["robot"].build().spec)
    if robot is None:
        return None
    for name in _SOLVER:
        setattr(robot.option, name, getattr(sim.env.unwrapped.sim.mj_model.opt, name))
    robot.compile()
    (folder / "robot.xml").write_text(robot.to_xml())
    return "robot.xml"


def _action(unwrapped: Any) -> Any:
    """The action term.

    Raises:
        ConfigError: it is not the only one, or commands something else than joint positions.
    """
    manager = unwrapped.action_manager
    terms = [manager.get_term(name) for name in manager.active_terms]
    kinds = ", ".join(type(term).__name__ for term in terms)
    if kinds != "JointPositionAction":
        raise ConfigError(f"the task's actions are {kinds}; this needs one term of joint position targets")
    if terms[0].cfg.clip is not None:
        raise ConfigError("the task clips its joint position targets, which this does not describe; remove the clip")
    return terms[0]


def _describe_joints(unwrapped: Any, robot: Any) -> Joints:
    model: mujoco.MjModel = unwrapped.sim.mj_model
    names = list(robot.joint_names)
    gains: dict[str, dict[str, Any]] = {}
    for actuator in robot.actuators:
        values = {name: getattr(actuator.cfg, name, None) for name in ("stiffness", "damping", "effort_limit")}
        for joint in actuator.target_names:
            gains[joint] = values | {"kind": type(actuator).__name__}
    for joint in names:
        if joint not in gains or None in gains[joint].values():
            raise ConfigError(f"the joint '{joint}' has no position controller with stiffness, damping and effort limit")
    dofs = [model.jnt_dofadr[model.joint(f"robot/{name}").id] for name in names]
    return Joints(
        names=names,
        default_pos=rounded(robot.data.default_joint_pos[0]),
        stiffness=rounded([gains[name]["stiffness"] for name in names]),
        # A joint's passive damping follows the same law as its controller's.
        damping=rounded([gains[name]["damping"] + model.dof_damping[dof] for name, dof in zip(names, dofs)]),
        effort_limit=rounded([gains[name]["effort_limit"] for name in names]),
        armature=rounded(model.dof_armature[dofs]),
        friction=rounded(model.dof_frictionloss[dofs]),
        actuators={name: str(gains[name]["kind"]) for name in names},
    )


def _observations(unwrapped: Any, group: str, joints: Joints) -> list[Observation]:
    manager, cfg = unwrapped.observation_manager, unwrapped.cfg.observations[group]
    entries = []
    for (name, term), shape in zip(cfg.terms.items(), manager.group_obs_term_dim[group]):
        history = max(1, term.history_length if cfg.history_length is None else cfg.history_length)
        size = int(np.prod(shape)) // history
        function = term.func if hasattr(term.func, "__name__") else type(term.func)
        signal = _SIGNAL_OF.get(function.__name__)
        if function.__name__ == "builtin_sensor":
            signal = _sensor_signal(unwrapped.sim.mj_model, term.params["sensor_name"])
        entry = Observation(
            name=f"{group}.{name}",
            signal=None if term.delay_max_lag else signal,
            function=f"{function.__module__}.{function.__name__}",
            size=size,
            offset=[0.0] * size,
            scale=rounded(torch.ones(size) * torch.as_tensor(1.0 if term.scale is None else term.scale).cpu()),
            clip=None if term.clip is None else list(term.clip),
            history=history,
        )
        if entry.signal in ("joint_pos", "joint_vel"):
            ids = term.params["asset_cfg"].joint_ids if "asset_cfg" in term.params else slice(None)
            entry.joints = list(np.array(joints.names)[ids if isinstance(ids, slice) else list(ids)])
            if entry.signal == "joint_pos":
                entry.offset = [joints.default_pos[joints.names.index(joint)] for joint in entry.joints]
        entries.append(entry)
    return entries


def _sensor_signal(model: mujoco.MjModel, name: str) -> str | None:
    """The signal of one of MuJoCo's sensors, if it measures the base in the axes of its frame."""
    sensor = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SENSOR, name)
    if sensor < 0 or model.sensor_objtype[sensor] != mujoco.mjtObj.mjOBJ_SITE:
        return None
    site = model.sensor_objid[sensor]
    is_on_base = model.body_parentid[model.site_bodyid[site]] == 0 and np.allclose(model.site_quat[site], [1, 0, 0, 0])
    return _SENSORS.get(model.sensor_type[sensor]) if is_on_base else None


def _velocity_point(unwrapped: Any) -> list[float]:
    """Point of the base whose velocity the velocimeter measures, in the base's frame [m]; its origin without one."""
    model = unwrapped.sim.mj_model
    for name in unwrapped.scene.sensors:
        if _sensor_signal(model, name) == "base_lin_vel":
            return rounded(model.site_pos[model.sensor(name).objid[0]])
    return [0.0, 0.0, 0.0]


def _round_feet(unwrapped: Any) -> dict[str, Any] | None:
    """The feet, if each is one ball at the same place of its body."""
    model = unwrapped.sim.mj_model
    names = [
        name
        for sensor in unwrapped.scene.sensors.values()
        if "force" in getattr(sensor.cfg, "fields", ()) and any(word in sensor.cfg.name for word in ("feet", "foot"))
        for name in sensor.primary_names
    ]
    shapes = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, f"robot/{name.removeprefix('robot/')}") for name in names]
    if not shapes or -1 in shapes or any(model.geom_type[shape] != mujoco.mjtGeom.mjGEOM_SPHERE for shape in shapes):
        return None
    if np.ptp(model.geom_pos[shapes], axis=0).max() > 1e-6 or np.ptp(model.geom_size[shapes, 0]) > 1e-6:
        return None
    return {
        "body_names": [model.body(model.geom_bodyid[shape]).name.removeprefix("robot/") for shape in shapes],
        "offset": rounded(model.geom_pos[shapes[0]]),
        "radius": float(model.geom_size[shapes[0], 0]),
    }
