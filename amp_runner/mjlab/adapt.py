"""Adding AMP to a task that knows nothing of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from mjlab.rl import RslRlPpoAlgorithmCfg

from amp_runner.env_interface import GROUND_IS_NOT_MEASURED
from amp_runner.errors import AMPError, ConfigError
from amp_runner.learning.config import AMPCfg, MirrorCfg, parse_motion_entries
from amp_runner.mjlab.access import find_ground_sensor, find_velocity_command, is_uneven, robot_model
from amp_runner.mjlab.cfg import RslRlAmpPpoAlgorithmCfg, amp_obs_group, final_state_recorder, reference_reset
from amp_runner.motions.dataset import common_spec
from amp_runner.motions.robot_mirror import mirror_of_model
from amp_runner.state import AMP_GROUP, AMPStateSpec

RESET_PROBABILITY = 0.5


def with_amp(env_cfg: Any, agent_cfg: Any, motions: Any, *, entity: str = "robot") -> list[str]:
    """Add AMP to the configurations of a manager-based mjlab task, in place; what is there already stays.

    The observation group ``amp`` in the clips' layout, the states in which episodes end, the AMP algorithm around the
    agent's own PPO settings, the reset to reference motion, and left-right mirroring if the robot is symmetric.

    Args:
        env_cfg: the environment's configuration.
        agent_cfg: the agent's, with PPO.
        motions: as in :attr:`amp_runner.AMPCfg.motions`.
        entity: the robot's name in the scene.

    Returns:
        What was added, as lines of Python for the task's own configuration; remarks start with ``#``.

    Raises:
        ConfigError: the agent's algorithm is not PPO, or the robot lacks a joint of the clips.
        MotionError: a clip cannot be read or does not describe its layout.
    """
    spec = common_spec(parse_motion_entries(motions))
    _check_robot(env_cfg, spec, entity)
    lines = [f"spec = amp_runner.AMPStateSpec.from_dict({spec.to_dict()})", f"motions = {motions!r}"]
    if AMP_GROUP not in env_cfg.observations:
        ground = find_ground_sensor(env_cfg, entity)
        env_cfg.observations[AMP_GROUP] = amp_obs_group(spec, entity, ground_sensor=ground)
        argument = "" if ground is None else f", ground_sensor={ground!r}"
        lines.append(f'env_cfg.observations["{AMP_GROUP}"] = amp_runner.mjlab.amp_obs_group(spec{argument})')
        if ground is None and is_uneven(env_cfg) and "root_height" in spec.layout:
            lines.append(GROUND_IS_NOT_MEASURED)
        env_cfg.recorders["final_amp_state"] = final_state_recorder()
        lines.append('env_cfg.recorders["final_amp_state"] = amp_runner.mjlab.final_state_recorder()')
    if not hasattr(agent_cfg.algorithm, "amp_cfg"):
        agent_cfg.algorithm = _amp_algorithm(agent_cfg.algorithm)
        lines += [
            f'ppo = dataclasses.asdict(agent_cfg.algorithm) | {{"class_name": "{RslRlAmpPpoAlgorithmCfg.class_name}"}}',
            "agent_cfg.algorithm = amp_runner.mjlab.RslRlAmpPpoAlgorithmCfg(**ppo)",
        ]
    amp_cfg: AMPCfg = agent_cfg.algorithm.amp_cfg
    amp_cfg.motions, amp_cfg.resample_motions = motions, True
    lines += ["agent_cfg.algorithm.amp_cfg.motions = motions", "agent_cfg.algorithm.amp_cfg.resample_motions = True"]
    lines += _add_mirroring(env_cfg, amp_cfg, spec, entity) + _add_reference_reset(env_cfg, spec, motions, entity)
    return lines


def _check_robot(env_cfg: Any, spec: AMPStateSpec, entity: str) -> None:
    if not isinstance(getattr(env_cfg, "observations", None), dict):
        raise ConfigError("the task is not a manager-based mjlab task; expose the observation group 'amp' by hand")
    if entity not in env_cfg.scene.entities:
        known = ", ".join(env_cfg.scene.entities) or "none"
        raise ConfigError(f"the task's scene has no entity '{entity}' (it has {known}); pass its name as entity")
    robot_model(env_cfg, spec.joint_names, entity)  # raises for joints that the robot lacks
    if spec.feet:
        raise ConfigError(
            "the clips have foot_contact, which needs a contact sensor: call amp_obs_group with contact_sensor"
        )


def _amp_algorithm(algorithm: Any) -> RslRlAmpPpoAlgorithmCfg:
    """The agent's PPO settings with AMP's."""
    if algorithm.class_name != RslRlPpoAlgorithmCfg.class_name:
        raise ConfigError(f"the agent's algorithm is {algorithm.class_name}; AMP extends PPO")
    settings = {f.name: getattr(algorithm, f.name) for f in dataclasses.fields(algorithm) if f.name != "class_name"}
    known = {f.name for f in dataclasses.fields(RslRlAmpPpoAlgorithmCfg)}
    if set(settings) - known:
        raise ConfigError(
            f"the agent's algorithm has settings of its own ({', '.join(sorted(set(settings) - known))}): derive its class "
            "from RslRlAmpPpoAlgorithmCfg"
        )
    return RslRlAmpPpoAlgorithmCfg(**settings)


def _add_mirroring(env_cfg: Any, amp_cfg: AMPCfg, spec: AMPStateSpec, entity: str) -> list[str]:
    if amp_cfg.mirror.permutation:
        return []
    try:
        permutation, signs = mirror_of_model(spec, robot_model(env_cfg, spec.joint_names, entity))
    except AMPError as error:
        return [f"# no mirroring: {error}"]
    amp_cfg.mirror = MirrorCfg(permutation, signs)
    return [f"agent_cfg.algorithm.amp_cfg.mirror = amp_runner.MirrorCfg({permutation}, {[int(sign) for sign in signs]})"]


def _add_reference_reset(env_cfg: Any, spec: AMPStateSpec, motions: Any, entity: str) -> list[str]:
    if "reset_to_reference" in env_cfg.events:
        return []
    if not {"root_height", "joint_pos"} <= set(spec.layout) or spec.orientation is None:
        return ["# no reset to reference motion: the AMP state has no root height, orientation or joint positions"]
    with_command = find_velocity_command(env_cfg) is not None
    env_cfg.events["reset_to_reference"] = reference_reset(spec, motions, RESET_PROBABILITY, with_command, entity)
    arguments = f"spec, motions, probability={RESET_PROBABILITY}, with_command={with_command}"
    return [f'env_cfg.events["reset_to_reference"] = amp_runner.mjlab.reference_reset({arguments})']
