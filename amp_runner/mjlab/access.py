"""Access to the parts of an mjlab task that the commands need."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from mjlab.sensor import ObjRef, RayCastSensorCfg

from amp_runner.errors import ConfigError
from amp_runner.motions.robot_model import RobotModel


def find_velocity_command(env_cfg: Any) -> Any:
    """Return the configuration of the task's first velocity command; None if it has none."""
    return next((term for term in env_cfg.commands.values() if hasattr(getattr(term, "ranges", None), "lin_vel_x")), None)


def is_uneven(env_cfg: Any) -> bool:
    """Whether the task's ground is generated terrain."""
    return getattr(env_cfg.scene.terrain, "terrain_generator", None) is not None


def find_ground_sensor(env_cfg: Any, entity: str = "robot") -> str | None:
    """Return the ray caster that measures uneven ground below the robot; None on a plane, or if there is none."""
    if not is_uneven(env_cfg):
        return None
    for sensor in env_cfg.scene.sensors or ():
        if type(sensor) is RayCastSensorCfg and isinstance(sensor.frame, ObjRef) and sensor.frame.entity == entity:
            return sensor.name
    return None


def hold_commands(env_cfg: Any) -> None:
    """Disable resampling of the velocity command, so that a command that is set stays.

    Raises:
        ConfigError: the task has no velocity command.
    """
    command = find_velocity_command(env_cfg)
    if command is None:
        raise ConfigError("the task has no velocity command, which this command needs")
    command.resampling_time_range = (1e9, 1e9)
    for share in ("rel_standing_envs", "rel_heading_envs", "rel_world_envs", "rel_forward_envs", "init_velocity_prob"):
        if hasattr(command, share):
            setattr(command, share, 0.0)
    if getattr(command, "heading_command", False):  # it would set the yaw rate in every step
        command.heading_command, command.ranges.heading = False, None


def robot_model(env_cfg: Any, joint_names: tuple[str, ...], entity: str = "robot") -> RobotModel:
    """Return the robot's kinematics.

    Raises:
        ConfigError: the scene has no such entity.
        MotionError: the robot lacks a joint.
    """
    if entity not in env_cfg.scene.entities:
        known = ", ".join(env_cfg.scene.entities) or "none"
        raise ConfigError(f"the task's scene has no entity '{entity}' (it has {known})")
    return RobotModel.from_spec(env_cfg.scene.entities[entity].spec_fn(), f"the task's '{entity}'", joint_names)


def robot_joints(env_cfg: Any, entity: str = "robot") -> tuple[str, ...]:
    """Return the robot's joints, in the simulation's order, without that of its base."""
    model = robot_model(env_cfg, (), entity).model
    free = mujoco.mjtJoint.mjJNT_FREE
    return tuple(model.joint(i).name for i in range(model.njnt) if model.jnt_type[i] != free)


def without_meshes(robot: mujoco.MjSpec) -> mujoco.MjSpec | None:
    """Return a robot on a floor, without its visual meshes; None if its collisions or masses need meshes."""
    bare = robot.copy()
    for shape in list(bare.geoms):
        if shape.type == mujoco.mjtGeom.mjGEOM_MESH:
            if shape.contype or shape.conaffinity:
                return None
            bare.delete(shape)
        else:
            shape.group = 0  # a viewer shows it
    for mesh in list(bare.meshes):
        bare.delete(mesh)
    for keyframe in list(bare.keys):
        bare.delete(keyframe)
    bare.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 0.05])
    is_complete = np.allclose(bare.compile().body_inertia, robot.compile().body_inertia)
    return bare if is_complete else None


def step_dt(env_cfg: Any) -> float:
    """Return the environment's time step [s]."""
    return env_cfg.sim.mujoco.timestep * env_cfg.decimation


def restart_observations(env: Any) -> Any:
    """Recompute an environment's observations after a command was set, with empty histories, and return them."""
    unwrapped = env.unwrapped
    unwrapped.observation_manager.reset()
    unwrapped.obs_buf = unwrapped.observation_manager.compute(update_history=True)
    return env.get_observations()
