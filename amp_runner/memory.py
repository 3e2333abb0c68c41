"""What RSL-RL's PPO remembers from one rollout to the next, and leaves out of its checkpoints.

These are the hidden states of recurrent models, and of random network distillation the count of steps, by which its weight
is scheduled, and the discounted rewards that its normaliser goes by.
"""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.algorithms import PPO

_MODELS = ("actor", "critic")


def memory_state_dict(alg: PPO) -> dict[str, Any]:
    """The memory of ``alg``: for each model a tuple of hidden states, (L, N, H), empty if it is not recurrent; and RND's."""
    state: dict[str, Any] = {name: _parts(getattr(alg, name).get_hidden_state()) for name in _MODELS}
    if alg.rnd:
        state["rnd"] = {"steps": alg.rnd.update_counter, "rewards": getattr(_discounted_rewards(alg), "avg", None)}
    return state


def load_rnd_memory(alg: PPO, state: dict[str, Any]) -> None:
    """Restore RND's part of :func:`memory_state_dict`, the rewards only of as many environments."""
    if not alg.rnd or "rnd" not in state:
        return
    alg.rnd.update_counter = int(state["rnd"]["steps"])
    average, rewards = _discounted_rewards(alg), state["rnd"]["rewards"]
    if average is not None and rewards is not None and rewards.shape == (alg.storage.num_envs,):
        average.avg = rewards.to(alg.device)


def hidden_states(alg: PPO, state: dict[str, Any]) -> dict[str, tuple[torch.Tensor, ...]]:
    """The hidden states in :func:`memory_state_dict`'s result, of those models that have as many environments."""
    found = {name: tuple(part.to(alg.device) for part in state[name]) for name in _MODELS}
    return {name: parts for name, parts in found.items() if parts and parts[0].shape[-2] == alg.storage.num_envs}


def set_hidden_states(alg: PPO, states: dict[str, tuple[torch.Tensor, ...]], goes_on: torch.Tensor) -> None:
    """Go on with hidden states where the episode goes on, (N,); elsewhere begin anew."""
    for name, parts in states.items():
        model = getattr(alg, name)
        model.reset(hidden_state=parts if len(parts) > 1 else parts[0])
        model.reset(~goes_on)


def _parts(hidden: torch.Tensor | tuple[torch.Tensor, ...] | None) -> tuple[torch.Tensor, ...]:
    """A GRU's state is a tensor, an LSTM's a pair."""
    if hidden is None:
        return ()
    return hidden if isinstance(hidden, tuple) else (hidden,)


def _discounted_rewards(alg: PPO) -> Any:
    return getattr(alg.rnd.reward_normalizer, "disc_avg", None)
