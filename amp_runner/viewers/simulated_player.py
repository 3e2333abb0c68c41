"""What the players of both simulators share: the policy, its command, and the style score."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
import torch

from amp_runner.env_interface import command_ranges, velocity_command
from amp_runner.learning.style_scorer import StyleScore, load_style_scorer
from amp_runner.state import amp_frames


class SimulatedPlayer(abc.ABC):
    """The first robot of a simulated environment; see :class:`~.player.Player`."""

    def __init__(self, sim: Any, score_style: bool = False) -> None:
        """Load the policy and, if requested and available, the discriminator.

        Args:
            sim: the environment, with one robot and the checkpoint.
            score_style: load the discriminator.

        Raises:
            CheckpointError: the policy does not fit the task.
            ConfigError: the task has no robot or no velocity command.
        """
        self._sim, self._env, self._unwrapped = sim, sim.env, sim.env.unwrapped
        self._policy = sim.load_policy()
        self._term = velocity_command(self._unwrapped)
        self.command_ranges = command_ranges(self._unwrapped)
        self.dt: float = self._unwrapped.step_dt
        self.command = np.zeros(3)
        self.style: StyleScore | None = None
        self._scorer = None
        self._obs = self._env.get_observations()
        if score_style:
            self._scorer = load_style_scorer(sim.checkpoint_state.get("amp"), self._amp_cfg(), self._obs)
        self.reset()

    @property
    def has_style_score(self) -> bool:
        """Whether :attr:`style` will be computed."""
        return self._scorer is not None

    def step(self) -> None:
        """Run the policy for one step."""
        with torch.inference_mode():
            self._set_command()
            self._obs, _, dones, _ = self._env.step(self._policy(self._obs))
            self._policy.reset(dones)
            if dones.any():
                self._restart()
        if self._scorer is not None:
            if dones[0]:
                self._scorer.reset()
            self.style = self._scorer.add(amp_frames(self._obs, self._scorer.command_group)[0])

    def reset(self) -> None:
        """Put the robot back on its feet."""
        with torch.inference_mode():
            self._env.reset()
            self._restart()
            self._policy.reset()
        if self._scorer is not None:
            self._scorer.reset()

    def _set_command(self) -> None:
        self._term.vel_command_b[:] = torch.tensor(self.command, dtype=torch.float32)

    def _restart(self) -> None:
        self._set_command()
        self._obs = self._restart_observations()

    def _amp_cfg(self) -> Any:
        """The agent's AMP configuration, if it has one."""
        return getattr(self._sim.agent_cfg.algorithm, "amp_cfg", None)

    @abc.abstractmethod
    def _restart_observations(self) -> Any:
        """Recompute the observations after a command was set, with empty histories."""
