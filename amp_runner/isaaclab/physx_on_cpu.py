"""PhysX without a GPU."""

from __future__ import annotations

import importlib.util


def allow_physx_without_gpu() -> None:
    """Let Isaac Lab's PhysX backend of the ``ovphysx`` wheel run on a machine without CUDA.

    Nothing changes with CUDA or without the wheel.

    Isaac Lab 3.0 asks Warp for pinned memory on the CPU whatever the device, and only CUDA can pin memory. Without CUDA
    ordinary memory does the same.
    """
    if importlib.util.find_spec("ovphysx") is None:
        return
    import warp

    if not warp.is_cuda_available():
        cpu = warp.get_device("cpu")
        setattr(cpu, "pinned_allocator", cpu.default_allocator)  # noqa: B010  (an attribute of a foreign class)
