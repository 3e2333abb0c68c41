"""Numbers from an environment that no training survives: found before they reach a normaliser or an optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from tensordict import TensorDict

from amp_runner.errors import EnvError
from amp_runner.learning.failures import check_actions

MAX_MAGNITUDE = 1e9
"""Largest magnitude of a reward or observation; squared sums of larger numbers soon exceed float32."""


def check_step(obs: TensorDict, rewards: torch.Tensor, groups: Iterable[str], actions: torch.Tensor) -> None:
    """Check what a step was given and what it returned. It costs one synchronisation with the device.

    Args:
        obs: observation groups, (N, ...).
        rewards: rewards, (N,).
        groups: names of the groups to check.
        actions: what the environment was given, (N, A).

    Raises:
        EnvError: a number that was returned is NaN, infinite, or larger than ``MAX_MAGNITUDE``.
        DivergenceError: an action is NaN or infinite.
    """
    tensors = {name: obs[name] for name in groups if obs[name].is_floating_point() and obs[name].numel()}
    tensors |= {None: rewards}
    largest = torch.stack([tensor.abs().amax().float() for tensor in (*tensors.values(), actions)])
    if bool((largest <= MAX_MAGNITUDE).all()):  # false for NaN
        return
    check_actions(actions)
    group, tensor = next((name, t) for name, t in tensors.items() if not bool(t.abs().amax() <= MAX_MAGNITUDE))
    rows = tensor.reshape(len(tensor), -1)
    wrong = ~(rows.abs() <= MAX_MAGNITUDE)
    envs = wrong.any(dim=1).nonzero().flatten().tolist()
    column = int(wrong[envs[0]].nonzero()[0])
    place = "reward" if group is None else f"observation group '{group}', column {column}"
    raise EnvError(
        f"{place}: {rows[envs[0], column]:g} in environment {envs[0]} "
        f"({len(envs)} of {len(rows)} environments are affected); expected finite numbers up to {MAX_MAGNITUDE:g}",
        group=group,
        env_index=envs[0],
    )


def terms_at_fault(env: Any, fault: EnvError) -> list[str]:
    """Return the terms that hold the wrong numbers, if the environment has managers as in Isaac Lab and mjlab."""
    name = "reward_manager" if fault.group is None else "observation_manager"
    manager = getattr(getattr(env, "unwrapped", env), name, None)
    get_terms = getattr(manager, "get_active_iterable_terms", None)
    if get_terms is None:
        return []
    prefix = "" if fault.group is None else f"{fault.group}-"
    return [
        term
        for term, values in get_terms(fault.env_index)
        if term.startswith(prefix) and not bool((torch.tensor(values, dtype=torch.float64).abs() <= MAX_MAGNITUDE).all())
    ]
