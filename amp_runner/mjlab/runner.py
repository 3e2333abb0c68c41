"""AMP's runner with mjlab's behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
from mjlab.rl import MjlabOnPolicyRunner

from amp_runner.env_interface import env_step_count, set_env_step_count
from amp_runner.learning.runner import AMPOnPolicyRunner
from amp_runner.mjlab.access import without_meshes
from amp_runner.viewers.snapshots import PolicySnapshotLogger


class MjlabAMPRunner(AMPOnPolicyRunner, MjlabOnPolicyRunner):
    """:class:`~amp_runner.AMPOnPolicyRunner` that keeps mjlab's configurations, checkpoints and ONNX export.

    mjlab removes options that are None from the configuration, and stores the environment's step count as
    ``infos["env_state"]``, where its own tools look for it.
    """

    def save(self, path: str, infos: dict | None = None) -> None:
        """Save the training state, with the environment's as mjlab stores it."""
        env_state = {"common_step_counter": env_step_count(self.env)}
        super().save(path, {**(infos or {}), "env_state": env_state})

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict[str, Any]:
        """Load a checkpoint of this runner or of mjlab's; see :meth:`amp_runner.AMPOnPolicyRunner.load`."""
        infos = super().load(path, load_cfg, strict, map_location) or {}
        count = (infos.get("env_state") or {}).get("common_step_counter")
        if count is not None:
            set_env_step_count(self.env, int(count))
        return infos


def draw_snapshots(runner: MjlabAMPRunner, folder: Path, interval: int, entity: str = "robot") -> None:
    """Let a training draw pictures and films of the first environment's robot; see :class:`.PolicySnapshotLogger`.

    Nothing is drawn of a robot whose collision shapes are meshes.

    Args:
        runner: the training's runner.
        folder: folder of the run.
        interval: iterations between two pictures.
        entity: the robot's name in the scene.
    """
    spec, robot = runner.alg.spec, without_meshes(runner.env.cfg.scene.entities[entity].build().spec)
    if spec is None or robot is None or runner.gpu_global_rank != 0:
        return
    folder = folder / "snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    robot.worldbody.add_light(pos=[0, 0, 3], dir=[0, 0, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    robot.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        rgb1=[0.7, 0.8, 0.9],
        rgb2=[1, 1, 1],
        width=64,
        height=384,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
    )
    robot.geom("floor").rgba = [0.75, 0.75, 0.75, 1.0]
    robot.compile()
    file = folder / "robot.xml"
    file.write_text(robot.to_xml())
    runner.callbacks.append(PolicySnapshotLogger(folder, spec, runner.alg.step_dt, str(file), interval))


def runner_class(task_runner: type | None) -> type[MjlabAMPRunner]:
    """Return the runner for a task with its own runner class: AMP's checkpoints, then what the task's runner adds.

    Args:
        task_runner: as ``mjlab.tasks.registry.load_runner_cls`` returns it.
    """
    if task_runner is None or issubclass(MjlabAMPRunner, task_runner):
        return MjlabAMPRunner
    if issubclass(task_runner, MjlabAMPRunner):
        return task_runner
    return type(f"AMP{task_runner.__name__}", (task_runner, MjlabAMPRunner), {})
