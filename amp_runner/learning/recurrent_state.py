"""What RSL-RL's PPO remembers from one rollout to the next, and leaves out of its checkpoints.

These are the hidden states of recurrent models, and of random network distillation the count of steps, by which its weight
is scheduled, and the discounted rewards that its normaliser goes by.
"""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.algorithms import PPO

from amp_runner.learning.checkpoint import check_count, check_tensor, is_loaded

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
    alg.rnd.update_counter = check_count("memory.rnd.steps", state["rnd"]["steps"])
    average, rewards = _discounted_rewards(alg), state["rnd"]["rewards"]
    if average is None or rewards is None:
        return
    rewards = check_tensor("memory.rnd.rewards", rewards, like=alg.storage.rewards)
    if rewards.shape == (alg.storage.num_envs,):
        average.avg = rewards


def hidden_states(alg: PPO, state: dict[str, Any], load_cfg: dict | None) -> dict[str, tuple[torch.Tensor, ...]]:
    """Copies of the hidden states in ``state`` for the models that ``load_cfg`` loads, if they have as many environments.

    Recurrent models of another make than RSL-RL's begin anew.
    """
    found = {}
    for name in _MODELS:
        rnn = getattr(getattr(getattr(alg, name), "rnn", None), "rnn", None)
        if rnn is None or not is_loaded(name, load_cfg):
            continue
        expected = [(rnn.num_layers, alg.storage.num_envs, rnn.hidden_size)] * (2 if isinstance(rnn, torch.nn.LSTM) else 1)
        parts = tuple(check_tensor(f"memory.{name}", part, like=alg.storage.rewards) for part in state[name])
        if [part.shape for part in parts] == expected:
            found[name] = tuple(part.clone() for part in parts)  # models reset theirs in place
    return found


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
