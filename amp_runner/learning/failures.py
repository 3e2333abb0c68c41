"""Trainings that have diverged or exhausted the memory, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from amp_runner.errors import DivergenceError

_LARGEST_ACTION = 1e9
_LARGEST_LOSS = 1e4
"""Loss of a discriminator beyond belief: the binary cross-entropy of a healthy one stays below 10."""


def check_actions(actions: torch.Tensor) -> None:
    """Check the actions (N, A) that the policy has drawn.

    Raises:
        DivergenceError: an action is NaN, infinite or beyond belief.
    """
    wrong = ~(actions.abs() <= _LARGEST_ACTION)  # NaN compares False
    if wrong.any():
        env, column = wrong.nonzero()[0].tolist()
        raise DivergenceError(
            f"the policy has diverged: action {column} of environment {env} is {actions[env, column]:g} "
            f"({int(wrong.any(dim=1).sum())} of {len(actions)} environments); lower the learning rate"
        )


@contextmanager
def naming_divergence(actor: torch.nn.Module) -> Iterator[None]:
    """Report that the policy has diverged where PyTorch only reports that a distribution refuses its numbers.

    Raises:
        DivergenceError: an operation failed, and the actor's weights are NaN or infinite.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:
        for name, parameter in actor.named_parameters():
            if not torch.isfinite(parameter).all():
                raise DivergenceError(
                    f"the policy has diverged: its weights '{name}' hold NaN or infinite values; lower the learning rate"
                ) from None
        raise


def check_discriminator_loss(loss: torch.Tensor) -> None:
    """Check the mean loss of a discriminator's update, before its scores are used. It costs one synchronisation.

    Raises:
        DivergenceError: it is NaN, infinite or beyond belief.
    """
    value = float(loss)
    if not abs(value) <= _LARGEST_LOSS:
        raise DivergenceError(
            f"the discriminator has diverged: its loss is {value:g}; expected at most {_LARGEST_LOSS:g}: lower "
            "amp_cfg.discriminator.learning_rate"
        )


def check_losses(losses: dict[str, float]) -> None:
    """Check PPO's losses.

    Raises:
        DivergenceError: one is NaN or infinite.
    """
    for name, value in losses.items():
        if not math.isfinite(value):
            raise DivergenceError(f"PPO has diverged: its {name} loss is {value:g}; lower the learning rate")


def describe_out_of_memory(algorithm: Any) -> str:
    """Describe what fills the GPU's memory, and what to lower.

    Args:
        algorithm: an :class:`~amp_runner.AMPPPO`.
    """
    num_envs, steps = algorithm.storage.num_envs, algorithm.storage.num_transitions_per_env
    replay = algorithm.trainer.replay.windows.nbytes / 2**20
    text = f"the GPU's memory is exhausted with {num_envs} environments of {steps} steps"
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info(algorithm.device)
        text += f" ({free / 2**30:.1f} of {total / 2**30:.1f} GiB are free; other processes use it, too)"
    return (
        f"{text}; lower --num_envs to {max(1, num_envs // 2)}, or raise algorithm.num_mini_batches from "
        f"{algorithm.num_mini_batches} to {2 * algorithm.num_mini_batches}; the discriminator's replay takes "
        f"{replay:.0f} MiB (amp_cfg.replay_size)"
    )
