"""Recording a trial in a simulated environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from amp_runner.env_interface import timed_out, velocity_command
from amp_runner.evaluation.gait_metrics import GaitRecording
from amp_runner.evaluation.trial import Trial
from amp_runner.state import AMPStateSpec


def record_trial(
    env: Any,
    policy: Any,
    trial: Trial,
    spec: AMPStateSpec,
    *,
    weight: float,
    restart: Callable[[Any], Any],
    read: Callable[[], dict[str, torch.Tensor]],
    push: Callable[[np.ndarray], None],
) -> GaitRecording:
    """Run a policy in a trial.

    Args:
        env: RSL-RL's wrapper of an environment with a velocity command.
        policy: the actor.
        trial: commands and pushes of the environment's robots.
        spec: layout of the recorded states.
        weight: of a robot [N].
        restart: recomputes the environment's observations after a command was set, with empty histories.
        read: returns the states, feet and power after a step, by the names of :class:`.GaitRecording`, each (N, ...).
        push: changes the robots' planar velocity, (N, 2), heading frame [m/s].

    Raises:
        ConfigError: the task has no velocity command.
    """
    unwrapped, dt = env.unwrapped, env.unwrapped.step_dt
    commands = torch.tensor(trial.commands, dtype=torch.float32, device=env.device)
    command_term = velocity_command(unwrapped)
    frames: list[dict[str, torch.Tensor]] = []
    command_term.vel_command_b[:] = commands
    obs = restart(env)
    with torch.inference_mode():
        for step in tqdm(range(round(trial.seconds / dt)), desc="evaluating", unit="step", mininterval=1.0):
            actions = policy(obs)
            time = unwrapped.episode_length_buf * dt
            obs, _, dones, extras = env.step(actions)
            policy.reset(dones)
            command_term.vel_command_b[:] = commands
            ended = dones.bool()
            frames.append(
                {
                    "actions": actions.clone(),
                    "falls": ended & ~timed_out(extras, dones),
                    "episode_time": torch.where(ended, 0.0, time),
                    **read(),
                }
            )
            if (change := trial.push_after(step, dt)) is not None:
                push(change)
    arrays = {name: torch.stack([frame[name] for frame in frames]).cpu().numpy() for name in frames[0]}
    return GaitRecording(commands=trial.commands.astype(np.float32), weight=weight, dt=dt, spec=spec, **arrays)
