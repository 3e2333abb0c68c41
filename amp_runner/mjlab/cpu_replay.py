"""Physics on a CPU, recorded once and replayed in C++, as :mod:`amp_runner.isaaclab.cpu_replay` does for Isaac Lab.

mjlab records its physics as CUDA graphs on a GPU, and launches every kernel from Python on a CPU, where Warp can record as
well. The replayed steps give the same numbers, bit for bit.
"""

from __future__ import annotations

import logging
from typing import Any

from mjlab.sim.sim import Simulation

EXCHANGED_NAMES = ("_should_use_cuda_graph", "create_graph")
"""Methods of mjlab's simulation that :func:`replay_physics_on_cpu` wraps."""


def replay_physics_on_cpu() -> None:
    """Let mjlab record its physics on a CPU as it does on a GPU; a simulation that cannot be recorded runs as before.

    Nothing changes on a GPU, or when called again.
    """
    if getattr(Simulation, "_replays_on_cpu", False):
        return
    decide, create = (vars(Simulation)[name] for name in EXCHANGED_NAMES)

    def should_use_graph(self: Any) -> bool:
        return not self.wp_device.is_cuda or decide(self)

    def create_graph(self: Any) -> None:
        try:
            create(self)
        except Exception as error:  # a kernel or an allocation that cannot be recorded
            if self.wp_device.is_cuda:
                raise
            logging.getLogger(__name__).info("the physics are not replayed: %s", error)
            self.use_cuda_graph = False
            create(self)

    for name, wrapped in zip(EXCHANGED_NAMES, (should_use_graph, create_graph)):
        setattr(Simulation, name, wrapped)
    setattr(Simulation, "_replays_on_cpu", True)  # noqa: B010  (a new attribute of a foreign class)
