"""CapturedStep: a gradient step that runs as one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable

import torch

_EAGER_STEPS = 3  # let libraries and the optimizer allocate what they keep; a capture must not

Step = Callable[[torch.Tensor, torch.Tensor], dict[str, torch.Tensor]]


class CapturedStep:
    """Runs a step eagerly a few times, then captures it and replays it.

    A small network's step is a hundred kernels of a few microseconds each: launching them one by one takes several times
    as long as running them.
    """

    def __init__(self, step: Step, device: str | torch.device) -> None:
        """Wrap a step.

        Args:
            step: updates parameters in place from two batches and returns scalars. It must not synchronise, draw random
                numbers, or depend on anything but the batches and tensors that stay where they are.
            device: the GPU.
        """
        self._step = step
        self._num_eager = 0
        self._stream = torch.cuda.Stream(device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[torch.Tensor, torch.Tensor]
        self._output: dict[str, torch.Tensor]

    def __call__(self, expert: torch.Tensor, policy: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the step on batches that have the same shapes in every call."""
        if self._num_eager < _EAGER_STEPS:
            self._num_eager += 1
            return self._run_eagerly(expert, policy)
        if self._graph is None:
            self._capture(expert, policy)
        assert self._graph is not None
        for buffer, batch in zip(self._inputs, (expert, policy)):
            buffer.copy_(batch)
        self._graph.replay()
        return {name: value.clone() for name, value in self._output.items()}

    def _run_eagerly(self, expert: torch.Tensor, policy: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run on the stream of the capture, as PyTorch asks for before capturing."""
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            output = self._step(expert, policy)
        current.wait_stream(self._stream)
        return output

    def _capture(self, expert: torch.Tensor, policy: torch.Tensor) -> None:
        self._inputs = (expert.clone(), policy.clone())
        self._graph = torch.cuda.CUDAGraph()
        # Simulators may use the device from threads of their own meanwhile.
        with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
            self._output = self._step(*self._inputs)
