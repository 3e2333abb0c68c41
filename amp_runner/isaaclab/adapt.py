"""Adding AMP to a task that knows nothing of it."""

from __future__ import annotations

from typing import Any

from isaaclab.assets import ArticulationCfg
from isaaclab.managers import EventTermCfg, SceneEntityCfg
from isaaclab.sensors import RayCasterCfg
from isaaclab_rl.rsl_rl import RslRlPpoAlgorithmCfg

from amp_runner.env_interface import GROUND_IS_NOT_MEASURED
from amp_runner.errors import AMPError, ConfigError
from amp_runner.isaaclab.access import robot_name
from amp_runner.isaaclab.cfg import AMPObsGroupCfg, RslRlAmpPpoAlgorithmCfg, RslRlMirrorCfg
from amp_runner.isaaclab.mdp import reset_to_reference
from amp_runner.learning.config import parse_motion_entries
from amp_runner.motions.dataset import common_spec
from amp_runner.state import AMP_GROUP, AMPStateSpec

RESET_PROBABILITY = 0.5


def with_amp(env_cfg: Any, agent_cfg: Any, motions: Any, *, robot: str | None = None) -> list[str]:
    """Add AMP to the configurations of a manager-based Isaac Lab task, in place; what is there already stays.

    The observation group ``amp`` in the clips' layout, ``compute_final_obs``, the AMP algorithm around the agent's own PPO
    settings, the reset to reference motion, and left-right mirroring if the robot's model is known and symmetric.

    Args:
        env_cfg: the environment's configuration, with the articulation ``robot``, or only one, in its scene.
        agent_cfg: the agent's, with PPO.
        motions: as in :attr:`amp_runner.AMPCfg.motions`.
        robot: MJCF or URDF file of the robot, for mirroring; None: an installed robot with the clips' joints.

    Returns:
        What was added, as lines of Python for the task's own configuration; remarks start with ``#``.

    Raises:
        ConfigError: the task is a Direct one, or the agent's algorithm is not PPO.
        MotionError: a clip cannot be read or does not describe its layout.
    """
    if not hasattr(env_cfg, "observations"):
        raise ConfigError(
            "the task is a Direct one, whose observations are computed by its own code: return a group 'amp' from it "
            "(amp_runner.amp_state computes it) and set amp_cfg; docs/your_robot.md shows how"
        )
    spec = common_spec(parse_motion_entries(motions))
    entity = robot_name(name for name, asset in vars(env_cfg.scene).items() if isinstance(asset, ArticulationCfg))
    lines = [f"spec = amp_runner.AMPStateSpec.from_dict({spec.to_dict()})", f"motions = {motions!r}"]
    if getattr(env_cfg.observations, AMP_GROUP, None) is None:
        env_cfg.observations.amp = _amp_group(spec, entity)
        lines += _measure_ground(env_cfg, spec, entity)
        env_cfg.compute_final_obs = True
        joints = f"joint_names={list(spec.joint_names)!r}, preserve_order=True"
        params = {k: v for k, v in env_cfg.observations.amp.state.params.items() if not isinstance(v, SceneEntityCfg)}
        lines += [
            "env_cfg.observations.amp = amp_runner.isaaclab.AMPObsGroupCfg()",
            f'env_cfg.observations.amp.state.params["asset_cfg"] = SceneEntityCfg("{entity}", {joints})',
            f"env_cfg.observations.amp.state.params |= {params!r}",
            "env_cfg.compute_final_obs = True",
        ]
    if getattr(agent_cfg.algorithm, "amp_cfg", None) is None:
        agent_cfg.algorithm = _amp_algorithm(agent_cfg.algorithm)
        lines += [
            f'ppo = vars(agent_cfg.algorithm) | {{"class_name": "{agent_cfg.algorithm.class_name}"}}',
            "agent_cfg.algorithm = amp_runner.isaaclab.RslRlAmpPpoAlgorithmCfg(**ppo)",
        ]
    amp_cfg = agent_cfg.algorithm.amp_cfg
    amp_cfg.motions, amp_cfg.resample_motions = motions, True
    lines += ["agent_cfg.algorithm.amp_cfg.motions = motions", "agent_cfg.algorithm.amp_cfg.resample_motions = True"]
    return lines + _add_mirroring(amp_cfg, spec, robot) + _add_reference_reset(env_cfg, spec, motions, entity)


def _amp_group(spec: AMPStateSpec, entity: str) -> AMPObsGroupCfg:
    if spec.feet:
        raise ConfigError("the clips have foot_contact, which needs a contact sensor: declare the group with AMPObsGroupCfg")
    group = AMPObsGroupCfg()
    params = group.state.params
    params["asset_cfg"] = SceneEntityCfg(entity, joint_names=list(spec.joint_names), preserve_order=True)
    params["velocity_frame"], params["layout"] = spec.velocity_frame, list(spec.layout)
    if spec.key_bodies:
        params["key_bodies"] = SceneEntityCfg(entity, body_names=list(spec.key_bodies), preserve_order=True)
    return group


def _measure_ground(env_cfg: Any, spec: AMPStateSpec, entity: str) -> list[str]:
    """Measure the root's height above uneven ground by the ray caster on the robot; returns remarks."""
    scene = env_cfg.scene
    if getattr(getattr(scene, "terrain", None), "terrain_type", None) != "generator" or "root_height" not in spec.layout:
        return []
    robot = getattr(scene, entity).prim_path.rpartition("/")[2]
    for name, sensor in vars(scene).items():
        if type(sensor) is RayCasterCfg and f"/{robot}" in sensor.prim_path:
            env_cfg.observations.amp.state.params["ground_sensor"] = name
            return []
    return [GROUND_IS_NOT_MEASURED]


def _amp_algorithm(algorithm: Any) -> RslRlAmpPpoAlgorithmCfg:
    """The agent's PPO settings with AMP's."""
    if algorithm.class_name != RslRlPpoAlgorithmCfg().class_name:
        raise ConfigError(f"the agent's algorithm is {algorithm.class_name}; AMP extends PPO")
    amp = RslRlAmpPpoAlgorithmCfg()
    for name, value in vars(algorithm).items():
        if name != "class_name":
            setattr(amp, name, value)
    return amp


def _add_mirroring(amp_cfg: Any, spec: AMPStateSpec, robot: str | None) -> list[str]:
    if amp_cfg.mirror.permutation:
        return []
    try:
        from amp_runner.motions.robot_mirror import mirror_of_model
        from amp_runner.motions.robot_model import RobotModel, registered_robot

        path = robot or registered_robot(spec.joint_names)
        if path is None:
            return ["# no mirroring: the robot's model is not known; pass --robot FILE (MJCF or URDF)"]
        permutation, signs = mirror_of_model(spec, RobotModel(path, spec.joint_names))
    except AMPError as error:
        return [f"# no mirroring: {error}"]
    amp_cfg.mirror = RslRlMirrorCfg(permutation=permutation, signs=signs)
    arguments = f"permutation={permutation}, signs={[int(sign) for sign in signs]}"
    return [f"agent_cfg.algorithm.amp_cfg.mirror = amp_runner.isaaclab.RslRlMirrorCfg({arguments})"]


def _add_reference_reset(env_cfg: Any, spec: AMPStateSpec, motions: Any, entity: str) -> list[str]:
    events = getattr(env_cfg, "events", None)
    if events is None:
        return ["# no reset to reference motion: the task has no events"]
    if any(getattr(event, "func", None) is reset_to_reference for event in vars(events).values()):
        return []
    if not {"root_height", "joint_pos"} <= set(spec.layout) or spec.orientation is None:
        return ["# no reset to reference motion: the AMP state has no root height, orientation or joint positions"]
    terms = vars(getattr(env_cfg, "commands", None) or object)
    command = next((name for name, term in terms.items() if hasattr(getattr(term, "ranges", None), "lin_vel_x")), None)
    params = {"motions": motions, "probability": RESET_PROBABILITY, "command_name": command}
    robot = SceneEntityCfg(entity, joint_names=list(spec.joint_names), preserve_order=True)
    events.reset_to_reference = EventTermCfg(
        func=reset_to_reference,  # type: ignore[arg-type]
        mode="reset",
        params={**params, "asset_cfg": robot},
    )
    return [
        f'robot = SceneEntityCfg("{entity}", joint_names=list(spec.joint_names), preserve_order=True)',
        f"params = {params!r} | {{'asset_cfg': robot}}",
        "env_cfg.events.reset_to_reference = EventTermCfg(func=amp_runner.isaaclab.reset_to_reference, mode='reset', "
        "params=params)",
    ]
