"""AMPPPO: RSL-RL's PPO with a style reward from a discriminator. Read this file for the order of the algorithm."""

from __future__ import annotations

from typing import Any

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.env import VecEnv
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from amp_runner.env_interface import (
    check_amp_group,
    check_command_group,
    check_final_obs,
    env_amp_spec,
    env_step_dt,
    resolve_step_dt,
)
from amp_runner.errors import ConfigError
from amp_runner.learning.checkpoint import is_loaded
from amp_runner.learning.config import AMPCfg
from amp_runner.learning.discriminator import Discriminator, ignored_columns
from amp_runner.learning.discriminator_trainer import DiscriminatorTrainer, DistributedInfo
from amp_runner.learning.env_check import check_step
from amp_runner.learning.failures import check_discriminator_loss, check_losses, naming_divergence
from amp_runner.learning.rollout_storage import AMPRolloutStorage
from amp_runner.learning.rollout_watch import RolloutWatch
from amp_runner.learning.saturation_monitor import SaturationMonitor
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state import AMP_GROUP, AMPStateSpec, amp_frames
from amp_runner.state.mirror import Mirror
from amp_runner.state.sides import COMMAND_SIGNS

_MAX_STATE_RATIO = 100.0
"""Frames with numbers this many times larger than the largest of the motions (at least 1) are implausible."""


class AMPPPO(PPO):
    """PPO on ``task_weight * task + style_weight * step_dt * style``.

    Between the rollout and GAE the discriminator is updated, and its reward for the whole rollout is blended in; the rest is
    PPO, unchanged. With ``style_weight=0`` actor and critic are bitwise those of plain PPO.
    """

    def __init__(
        self,
        actor: MLPModel,
        critic: MLPModel,
        storage: RolloutStorage,
        amp_cfg: dict | AMPCfg,
        env_step_dt: float | None = None,
        amp_spec: AMPStateSpec | None = None,
        **kwargs: Any,
    ) -> None:
        """Load the motions and build the discriminator.

        Args:
            actor: policy model.
            critic: value model.
            storage: rollout storage whose observations have the group ``amp``, shape (N, D).
            amp_cfg: see :class:`~amp_runner.AMPCfg`.
            env_step_dt: the environment's time step [s], if known.
            amp_spec: the layout of the environment's AMP state, if it declares one; else ``amp_cfg.layout`` is used.
            **kwargs: PPO's own arguments.

        Raises:
            ConfigError: the configuration is wrong.
            MotionError: a motion file cannot be read or does not fit.
        """
        super().__init__(actor, critic, storage, **kwargs)
        self.amp_cfg = cfg = AMPCfg.from_dict(amp_cfg)
        if cfg.command_group is not None:
            check_command_group(storage.observations[0], cfg.command_group)
        used = {group for model in (actor, critic) for group in getattr(model, "obs_groups", ())}
        self._checked_groups = [name for name in map(str, storage.observations.keys()) if name != AMP_GROUP or name in used]
        state_dim = storage.observations[AMP_GROUP].shape[-1]
        cfg.mirror.validate_for(state_dim)
        step_dt = resolve_step_dt(cfg.step_dt, env_step_dt)
        self.spec = amp_spec or cfg.spec()
        self.motions = MotionDataset.load(
            cfg.motion_entries(),
            cfg.num_frames,
            dim=state_dim,
            step_dt=step_dt,
            spec=self.spec,
            resample=cfg.resample_motions,
            with_commands=cfg.command_group is not None,
            device=self.device,
        )
        step_dt = self.motions.dt if step_dt is None else step_dt
        if step_dt is None:
            raise ConfigError("the time step is unknown: set env.step_dt, the clips' 'dt', or amp_cfg.step_dt, in seconds")
        self.step_dt = step_dt
        max_abs_state = _MAX_STATE_RATIO * max(1.0, self.motions.frames.abs().max().item())
        self.amp_storage = AMPRolloutStorage(storage, cfg.num_frames, cfg.command_group, max_abs_state)
        self.trainer = DiscriminatorTrainer(
            cfg,
            self.motions,
            storage.num_envs * storage.num_transitions_per_env,
            mirror=self._make_mirror(state_dim),
            ignored_columns=ignored_columns(cfg.discriminator, self.spec),
            device=self.device,
            seed=torch.initial_seed() % 2**32,
            # RSL-RL 5.4 has no buckets.
            distributed=DistributedInfo(
                self.gpu_world_size, self.gpu_global_rank, getattr(self, "grad_reduce_bucket_mb", 25.0)
            ),
        )
        self.watch = RolloutWatch(self.trainer, self.amp_storage, self.spec, storage.num_transitions_per_env)
        self.saturation = SaturationMonitor(cfg.saturation_patience, self.watch.explain_saturation)
        self._statistics: dict[str, torch.Tensor] = {}

    @property
    def discriminator(self) -> Discriminator:
        """The discriminator, which the trainer owns."""
        return self.trainer.discriminator

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Draw actions, (N, A).

        Raises:
            DivergenceError: the policy's network is no longer finite.
        """
        with naming_divergence(self.actor):
            return super().act(obs)

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, torch.Tensor]
    ) -> None:
        """Record one environment step, with the AMP state that it led to.

        Raises:
            EnvError: a reward or an observation is NaN, infinite or impossible. Such AMP states are left out and counted.
            DivergenceError: an action is NaN or infinite.
        """
        check_step(obs, rewards, self._checked_groups, self.transition.actions)  # type: ignore[arg-type]
        ended, command_group = dones.bool(), self.amp_cfg.command_group
        successors, successor_valid = amp_frames(obs, command_group), ~ended
        # Where an episode ended, obs already belongs to the next one; only final_obs has the state that was reached.
        final_obs = extras.get("final_obs")
        if final_obs is not None and AMP_GROUP in check_final_obs(final_obs, len(ended), command_group):
            final = amp_frames(final_obs, command_group).to(self.device)
            successor_valid, successors = torch.ones_like(ended), torch.where(ended.unsqueeze(-1), final, successors)
        states = amp_frames(self.transition.observations, command_group)
        self.amp_storage.add(states, successors, dones, successor_valid, rewards)
        super().process_env_step(obs, rewards, dones, extras)

    def compute_returns(self, obs: TensorDict) -> None:
        """Update the discriminator, blend the style reward in, then compute returns as PPO does."""
        # The runner calls this in inference mode, in which nothing can be differentiated.
        with torch.inference_mode(False), torch.enable_grad():
            windows, valid = self.amp_storage.windows()
            self.watch.check_first_rollout(windows[valid])
            self._statistics = self.trainer.update(windows[valid])
            if "discriminator_loss" in self._statistics:
                check_discriminator_loss(self._statistics["discriminator_loss"])
            style = self.discriminator.style_reward(windows, self.amp_cfg.reward_epsilon)
            style = torch.where(valid, style, 0.0)  # not a product: invalid windows may hold NaN
            self._blend(style)
            self._statistics["style_score"] = style.sum() / valid.sum().clamp(min=1)
            self._statistics["valid_windows"] = valid.float().mean()
            self._statistics["implausible_frames"] = self.amp_storage.num_implausible.float()
        super().compute_returns(obs)

    def _blend(self, style: torch.Tensor) -> None:
        """Weigh task and style, (T, N). Bootstrapped values and other bonuses in the stored rewards keep their weight."""
        cfg, task = self.amp_cfg, self.amp_storage.task_rewards
        style_share = cfg.style_weight * self.step_dt * style
        self.storage.rewards += ((cfg.task_weight - 1.0) * task + style_share).unsqueeze(-1)
        self._statistics["task_reward"] = cfg.task_weight * task.mean()
        self._statistics["style_reward"] = style_share.mean()

    def update(self) -> dict[str, float]:
        """Run PPO's update; returns its losses and AMP's statistics, the latter with the prefix ``AMP/``."""
        with naming_divergence(self.actor):
            losses = super().update()
        check_losses(losses)
        statistics = dict(zip(self._statistics, torch.stack(list(self._statistics.values())).tolist()))
        if "accuracy_expert" in statistics:
            statistics["saturated_iterations"] = self.saturation.update(
                statistics["accuracy_expert"], statistics["accuracy_policy"], statistics["style_score"]
            )
        self.watch.check_windows(statistics)
        self.amp_storage.clear()
        return losses | {f"AMP/{name}": float(value) for name, value in statistics.items()}

    def train_mode(self) -> None:
        """Set train mode for learnable models."""
        super().train_mode()
        self.discriminator.train()

    def eval_mode(self) -> None:
        """Set evaluation mode for learnable models."""
        super().eval_mode()
        self.discriminator.eval()

    def save(self) -> dict:
        """Return PPO's state, with AMP's under the key ``amp``."""
        return super().save() | {
            "amp": self.trainer.state_dict()
            | {
                "num_frames": self.amp_cfg.num_frames,
                "frame_dim": self.motions.dim,
                "motion_hashes": self.motions.hashes,
                "spec": self.spec and self.spec.to_dict(),
            }
        }

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Load PPO's state and, if the checkpoint has it and ``load_cfg`` does not exclude it, AMP's."""
        load_iteration = super().load(loaded_dict, load_cfg, strict)
        state = loaded_dict.get("amp")
        if state is None or not is_loaded("amp", load_cfg):
            return load_iteration
        if is_loaded("optimizer", load_cfg):
            self.trainer.load_state_dict(state, strict)
        else:  # a new training starts from these networks
            self.discriminator.load_state_dict(state["discriminator"], strict=strict)
        return load_iteration

    def broadcast_parameters(self) -> None:
        """Broadcast model parameters to all GPUs."""
        super().broadcast_parameters()
        for tensor in self.discriminator.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> AMPPPO:
        """Construct the algorithm as RSL-RL's runner does, after checking that the environment provides AMP states.

        Raises:
            ConfigError: the environment has no usable ``amp`` group, or the configuration is wrong.
            MotionError: a motion file cannot be read or does not fit.
        """
        check_amp_group(obs)
        if "amp_cfg" not in cfg["algorithm"]:
            raise ConfigError('algorithm.amp_cfg is missing; expected at least {"motions": "path/to/clip.npz"}')
        # RSL-RL completes this dictionary in place, so it gets the user's own and not a copy.
        algorithm, from_env = cfg["algorithm"], {"env_step_dt": env_step_dt(env), "amp_spec": env_amp_spec(env)}
        algorithm |= from_env
        try:
            return PPO.construct_algorithm(obs, env, cfg, device)  # type: ignore[return-value]
        finally:
            for key in from_env:
                algorithm.pop(key, None)

    def _make_mirror(self, state_dim: int) -> Mirror | None:
        cfg = self.amp_cfg.mirror
        if not cfg.permutation or cfg.probability == 0:
            return None
        if self.amp_cfg.command_group is None:
            return Mirror(cfg.permutation, cfg.signs, self.device)
        columns = range(state_dim, state_dim + len(COMMAND_SIGNS))
        return Mirror([*cfg.permutation, *columns], [*cfg.signs, *COMMAND_SIGNS], self.device)
