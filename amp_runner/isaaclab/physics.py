"""The physics engine of a task: whether it is installed, and what it needs without a GPU."""

from __future__ import annotations

import importlib.util
from typing import Any

from amp_runner.errors import ConfigError
from amp_runner.isaaclab.cpu_replay import replay_physics_on_cpu


def prepare_physics(env_cfg: Any) -> None:
    """Check that the task's physics engine is installed, and prepare it for a machine without a GPU.

    Newton's step is recorded and replayed on a CPU (:func:`~amp_runner.isaaclab.cpu_replay.replay_physics_on_cpu`), and
    PhysX of the ``ovphysx`` wheel runs without CUDA. Nothing changes with a GPU.

    Args:
        env_cfg: the environment's configuration.

    Raises:
        ConfigError: the task asks for PhysX, and it is not installed.
    """
    engine = type(getattr(env_cfg.sim, "physics", None)).__name__
    has_wheel, has_isaac_sim = (importlib.util.find_spec(name) is not None for name in ("ovphysx", "isaacsim"))
    if not has_wheel and (engine == "OvPhysxCfg" or (engine == "PhysxAutoCfg" and not has_isaac_sim)):
        raise ConfigError("PhysX is not installed; pip install 'amp-runner[physx]', or leave out physics=... to use Newton")
    replay_physics_on_cpu()
    if has_wheel:
        _allow_physx_without_gpu()


def _allow_physx_without_gpu() -> None:
    """Isaac Lab 3.0 asks Warp for pinned memory on the CPU, which only CUDA can give; without it ordinary memory does."""
    import warp

    if not warp.is_cuda_available():
        cpu = warp.get_device("cpu")
        setattr(cpu, "pinned_allocator", cpu.default_allocator)  # noqa: B010  (an attribute of a foreign class)
