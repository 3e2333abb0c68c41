"""DiscriminatorTrainer: trains the discriminator on expert windows against the policy's, past and present."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from amp_runner.learning.captured_step import CapturedStep
from amp_runner.learning.config import AMPCfg
from amp_runner.learning.discriminator import Discriminator
from amp_runner.learning.replay_buffer import ReplayBuffer
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state.mirror import Mirror

logger = logging.getLogger(__name__)

_MAX_BATCH_SIZE = 8192
_ROLLOUT_PARTS = 12  # the default batch is one part, so 20 updates see each window of the rollout about 1.7 times
_REPLAYED_ROLLOUTS = 50
_MAX_DRAWN = 2**25  # numbers that are drawn at once (128 MiB)


@dataclass(frozen=True)
class DistributedInfo:
    """The processes that train together, one per GPU."""

    world_size: int = 1
    rank: int = 0
    bucket_mb: float = 25.0
    """Size of the buckets in which gradients are averaged [MB]."""


class DiscriminatorTrainer:
    """Owns the discriminator, its optimizer state, the replay and the generator.

    All samples come from the trainer's own generator: AMP must not change the random numbers of PPO and the environment.
    """

    def __init__(
        self,
        cfg: AMPCfg,
        motions: MotionDataset,
        rollout_size: int,
        *,
        mirror: Mirror | None = None,
        ignored_columns: Sequence[int] = (),
        device: str | torch.device = "cpu",
        seed: int = 0,
        distributed: DistributedInfo | None = None,
    ) -> None:
        """Build the discriminator and an empty replay.

        Args:
            cfg: see :class:`~amp_runner.AMPCfg`.
            motions: expert windows.
            rollout_size: windows in a rollout, from which the default batch size follows.
            mirror: mirrors frames; None: the robot is not symmetric.
            ignored_columns: columns of a frame that the discriminator does not see.
            device: device of the networks and the replay.
            seed: seed of the initial weights and, with the rank, of the samples.
            distributed: the processes that train together; None: this one alone.
        """
        self.cfg, self.motions, self.mirror = cfg, motions, mirror
        self.distributed = distributed or DistributedInfo()
        frame_shape = (motions.num_frames, motions.dim)
        self.discriminator = Discriminator(motions.dim, motions.num_frames, cfg.discriminator, device, seed, ignored_columns)
        self.replay = ReplayBuffer(cfg.replay_size, frame_shape, device)
        use_graph = torch.device(device).type == "cuda" and self.distributed.world_size == 1
        self._captured = CapturedStep(self._gradient_step, device) if use_graph else None
        self.generator = torch.Generator(device).manual_seed(seed + self.distributed.rank)
        self.batch_size = cfg.discriminator.batch_size or max(2, min(_MAX_BATCH_SIZE, rollout_size // _ROLLOUT_PARTS))

    def update(self, rollout: torch.Tensor) -> dict[str, torch.Tensor]:
        """Train on expert windows against policy windows, half from the rollout and half from the replay.

        Args:
            rollout: valid windows of the last rollout, shape (M, K, D).

        Returns:
            Statistics, means over the steps (scalars, unsynchronised); empty if a process has no window to train on.
        """
        if not self._all_have_windows(len(rollout)):
            return {}
        # The statistics stay fixed for the rest of the update, so that all steps see the same normalisation.
        self.discriminator.update_normalizer(self._expert(self.batch_size), self._policy(rollout, self.batch_size))
        steps = [self._step(expert, policy) for expert, policy in self._batches(rollout)]
        if self.cfg.replay_size:
            # Few at a time, so that the replay spans many rollouts.
            self.replay.insert(self._draw(rollout, max(1, self.cfg.replay_size // _REPLAYED_ROLLOUTS)))
        return {name: torch.stack([statistics[name] for statistics in steps]).mean() for name in steps[0]}

    def _batches(self, rollout: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the batches of all gradient steps; drawing for many steps at once saves small kernels."""
        remaining, size = self.cfg.discriminator.num_updates, self.batch_size
        at_once = max(1, _MAX_DRAWN // (2 * size * rollout[0].numel()))
        while remaining:
            steps = min(at_once, remaining)
            remaining -= steps
            expert, policy = self._expert(steps * size), self._policy_and_replay(rollout, steps)
            prepared = (self.discriminator.training_input(windows, self.generator) for windows in (expert, policy))
            yield from zip(*(windows.view(steps, size, -1) for windows in prepared))

    def _step(self, expert: torch.Tensor, policy: torch.Tensor) -> dict[str, torch.Tensor]:
        if self._captured is not None:
            return self._captured(expert, policy)
        return self._gradient_step(expert, policy)

    def _gradient_step(self, expert: torch.Tensor, policy: torch.Tensor) -> dict[str, torch.Tensor]:
        optimizer = self.discriminator.optimizer
        loss, statistics = self.discriminator.loss(expert, policy)
        optimizer.zero_grad()
        # Without `inputs`, gradients of the inputs would be computed too, which costs a tenth of the step.
        loss.backward(inputs=list(self.discriminator.net.parameters()))
        if self.distributed.world_size > 1:
            self._average_gradients()
        optimizer.step()
        return statistics

    def _expert(self, count: int) -> torch.Tensor:
        return self._mirror_randomly(self.motions.sample(count, self.generator))

    def _policy(self, rollout: torch.Tensor, count: int) -> torch.Tensor:
        return self._mirror_randomly(self._draw(rollout, count))

    def _policy_and_replay(self, rollout: torch.Tensor, steps: int) -> torch.Tensor:
        """Draw policy windows for several steps, half of each step's from the replay, shape (steps * B, K, D)."""
        if not len(self.replay):
            return self._policy(rollout, steps * self.batch_size)
        half = self.batch_size // 2
        present = self._draw(rollout, steps * half).unflatten(0, (steps, half))
        past = self.replay.sample(steps * (self.batch_size - half), self.generator).unflatten(0, (steps, -1))
        return self._mirror_randomly(torch.cat([present, past], dim=1).flatten(0, 1))

    def _mirror_randomly(self, windows: torch.Tensor) -> torch.Tensor:
        if self.mirror is None:
            return windows
        return self.mirror.mirror_randomly(windows, self.cfg.mirror.probability, self.generator)

    def _draw(self, windows: torch.Tensor, count: int) -> torch.Tensor:
        index = torch.randint(len(windows), (count,), generator=self.generator, device=windows.device)
        return windows[index]

    def _all_have_windows(self, count: int) -> bool:
        """Whether every process has a valid window; a process that skips the update would block the others."""
        if self.distributed.world_size == 1:
            return count > 0
        fewest = torch.tensor(count, device=self.generator.device)
        torch.distributed.all_reduce(fewest, op=torch.distributed.ReduceOp.MIN)
        return bool(fewest > 0)

    def _average_gradients(self) -> None:
        """Average the gradients over all processes (RSL-RL 5.5 or newer)."""
        from rsl_rl.utils import reduce_gradients_in_buckets  # absent in RSL-RL 5.4, which trains AMP on one GPU

        reduce_gradients_in_buckets(
            self.discriminator.net.parameters(), self.distributed.world_size, self.distributed.bucket_mb
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the state that training needs to resume exactly."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.discriminator.optimizer.state_dict(),
            "replay": self.replay.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """Restore a state. Only the first process restores the generator; the others keep drawing their own samples."""
        self.discriminator.load_state_dict(state["discriminator"], strict=strict)
        self.discriminator.load_optimizer_state(state["optimizer"])
        if self._captured is not None:
            self._captured = CapturedStep(
                self._gradient_step, self.generator.device
            )  # the old graph writes to the old optimizer state
        self.replay.load_state_dict(state["replay"])
        generator = state["generator"].cpu()
        if len(generator) != len(self.generator.get_state()):
            logger.warning("the checkpoint was written on another kind of device: the discriminator will draw other samples")
        elif self.distributed.rank == 0:
            self.generator.set_state(generator)
