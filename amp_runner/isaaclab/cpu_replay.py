"""Physics on a CPU, recorded once and replayed in C++.

A physics step of Newton launches about 170 kernels from Python, which on a CPU takes longer than the kernels themselves.
On a GPU, Isaac Lab records the step as a CUDA graph. Warp can record on a CPU, too, but Isaac Lab 3.0 does not use that.
The replayed steps give the same numbers, bit for bit.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from typing import Any

EXCHANGED_NAMES = ("_simulate_full", "_simulate_physics_only", "_invalidate_graph")
"""Methods of Isaac Lab's Newton manager that :func:`replay_physics_on_cpu` wraps."""
_NOT_RECORDED, _FAILED = "not recorded", "failed"
_recordings: dict[str, Any] = {}
"""What is known of each physics step since the last change of the simulation, by its name."""


def replay_physics_on_cpu() -> None:
    """Let Isaac Lab's Newton backend record its physics step on a CPU, and replay it from then on.

    Nothing changes on a GPU, without Newton, or when called again. A step that cannot be recorded runs as before.
    """
    if importlib.util.find_spec("isaaclab_newton") is None:
        return
    from isaaclab_newton.physics.newton_manager import NewtonManager

    if getattr(NewtonManager, "_replays_on_cpu", False):
        return
    *steps, invalidate = EXCHANGED_NAMES
    for name in steps:
        setattr(NewtonManager, name, classmethod(_replayed(name, vars(NewtonManager)[name].__func__)))
    invalidate_graph = vars(NewtonManager)[invalidate].__func__

    def forget_recordings(cls: Any) -> None:
        _recordings.clear()
        invalidate_graph(cls)

    setattr(NewtonManager, invalidate, classmethod(forget_recordings))
    setattr(NewtonManager, "_replays_on_cpu", True)  # noqa: B010  (a new attribute of a foreign class)


def _replayed(name: str, simulate: Callable[[Any], None]) -> Callable[[Any], None]:
    """Wrap a physics step: it runs as it is the first time, which allocates its memory, and is then recorded."""
    import warp
    from isaaclab.physics import PhysicsManager

    def step(cls: Any) -> None:
        recording = _recordings.get(name)
        on_cpu = "cuda" not in str(PhysicsManager._device)
        if recording is None or recording is _FAILED or not on_cpu or not cls._supports_cuda_graph_capture():
            _recordings.setdefault(name, _NOT_RECORDED)
            simulate(cls)
            return
        if recording is _NOT_RECORDED:
            try:
                with warp.ScopedCapture(device="cpu") as capture:
                    simulate(cls)
            except Exception as error:  # a kernel or an allocation that cannot be recorded
                logging.getLogger(__name__).info("the physics step is not replayed: %s", error)
                _recordings[name] = _FAILED
                simulate(cls)
                return
            _recordings[name] = capture.graph
        warp.capture_launch(_recordings[name])

    return step
