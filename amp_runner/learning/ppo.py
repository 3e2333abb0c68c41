"""AMPPPO: RSL-RL's PPO with a style reward from a discriminator. The order of work, nothing else."""

from __future__ import annotations

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.env import VecEnv
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from amp_runner.env_interface import check_amp_group, check_command_group, check_final_obs, env_step_dt
from amp_runner.errors import ConfigError
from amp_runner.learning.checkpoint import check_count, is_loaded
from amp_runner.learning.config import AMPCfg
from amp_runner.learning.discriminator_trainer import DiscriminatorTrainer, DistributedInfo
from amp_runner.learning.recurrent_state import hidden_states, load_rnd_memory, memory_state_dict, set_hidden_states
from amp_runner.learning.rollout_storage import AMP_GROUP, AMPRolloutStorage, amp_frames
from amp_runner.learning.saturation_monitor import SaturationMonitor
from amp_runner.mirror import Mirror
from amp_runner.motions.dataset import MotionDataset
from amp_runner.state import AMPStateSpec

_EXPLOSION = 100.0  # states this many times beyond the largest number in the motions (at least 1) are not believed


class AMPPPO(PPO):
    """PPO on ``task_weight * task + style_weight * step_dt * style``.

    Between the rollout and GAE the discriminator is updated, and its reward for the whole rollout is blended in; the rest is
    PPO, unchanged. With ``style_weight=0`` actor and critic are bitwise those of plain PPO.
    """

    storage: AMPRolloutStorage

    def __init__(
        self,
        actor: MLPModel,
        critic: MLPModel,
        storage: RolloutStorage,
        amp_cfg: dict | AMPCfg,
        env_step_dt: float | None = None,
        amp_spec: AMPStateSpec | None = None,
        **kwargs,
    ) -> None:
        """Load the motions and build the discriminator.

        Args:
            actor: policy model.
            critic: value model.
            storage: rollout storage whose observations have the group ``amp``, shape (N, D).
            amp_cfg: see :class:`~amp_runner.AMPCfg`.
            env_step_dt: the environment's time step [s], if known.
            amp_spec: the layout of the environment's AMP state, if known.
            **kwargs: PPO's own arguments.

        Raises:
            ConfigError: the configuration is wrong.
            MotionError: a motion file cannot be read or does not fit.
        """
        super().__init__(actor, critic, storage, **kwargs)
        self.amp_cfg = cfg = AMPCfg.from_dict(amp_cfg)
        if cfg.command_group is not None:
            check_command_group(storage.observations[0], cfg.command_group)
        self.motions = MotionDataset.load(
            cfg.motion_entries(),
            cfg.num_frames,
            dim=storage.observations[AMP_GROUP].shape[-1],
            step_dt=env_step_dt or cfg.step_dt,
            spec=amp_spec,
            resample=cfg.resample_motions,
            with_commands=cfg.command_group is not None,
            device=self.device,
        )
        self.step_dt = self._resolve_step_dt(env_step_dt)
        largest_credible = _EXPLOSION * max(1.0, self.motions.frames.abs().max().item())
        self.storage = AMPRolloutStorage(storage, cfg.num_frames, cfg.command_group, largest_credible)
        self.trainer = DiscriminatorTrainer(
            cfg,
            self.motions,
            storage.num_envs * storage.num_transitions_per_env,
            mirror=Mirror(cfg.mirror, self.motions.dim, cfg.command_group is not None, self.device),
            device=self.device,
            seed=torch.initial_seed() % 2**32,
            distributed=DistributedInfo(
                self.gpu_world_size, self.gpu_global_rank, getattr(self, "grad_reduce_bucket_mb", None)
            ),
        )
        self.discriminator = self.trainer.discriminator
        self.saturation = SaturationMonitor(cfg.saturation_patience)
        self._iteration = 0
        self._hidden_states: dict[str, tuple[torch.Tensor, ...]] = {}  # loaded, and not yet gone on with
        self._statistics: dict[str, torch.Tensor] = {}

    def act(self, obs: TensorDict) -> torch.Tensor:
        """Sample actions, shape (N, A); the first ones after :meth:`load` go on with the loaded hidden states."""
        if self._hidden_states:
            goes_on = self.storage.goes_on(amp_frames(obs, self.amp_cfg.command_group))
            set_hidden_states(self, self._hidden_states, goes_on)
            self._hidden_states = {}
        return super().act(obs)

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, torch.Tensor]
    ) -> None:
        """Record one environment step, with the AMP state that it led to."""
        ended, command_group = dones.bool(), self.amp_cfg.command_group
        successors, known = amp_frames(obs, command_group), ~ended
        # Where an episode ended, obs is already the next episode's; only final_obs has the state that was reached.
        final_obs = extras.get("final_obs")
        if final_obs is not None and AMP_GROUP in check_final_obs(final_obs, len(ended), command_group):
            final = amp_frames(final_obs, command_group).to(self.device)
            known, successors = torch.ones_like(ended), torch.where(ended.unsqueeze(-1), final, successors)
        states = amp_frames(self.transition.observations, command_group)
        self.storage.add_successors(states, successors, dones, known)
        self.storage.task_rewards[self.storage.step] = rewards
        super().process_env_step(obs, rewards, dones, extras)

    def compute_returns(self, obs: TensorDict) -> None:
        """Update the discriminator, blend the style reward in, then compute returns as PPO does."""
        # The runner calls this in inference mode, where nothing can be differentiated.
        with torch.inference_mode(False), torch.enable_grad():
            windows, is_real = self.storage.windows()
            if self._iteration % self.amp_cfg.discriminator.update_interval == 0:
                self._statistics |= self.trainer.update(windows[is_real])
            style = self._style_reward(windows, is_real)
            self._blend(style)
            self._statistics["style_reward"] = style.sum() / is_real.sum().clamp(min=1)
            self._statistics["task_reward"] = self.storage.task_rewards.mean()
        self._iteration += 1
        super().compute_returns(obs)

    def update(self) -> dict[str, float]:
        """Run PPO's update; returns its losses and AMP's statistics, the latter with the prefix ``AMP/``."""
        losses = super().update()
        statistics = dict(zip(self._statistics, torch.stack(list(self._statistics.values())).tolist()))
        statistics["saturated_iterations"] = self.saturation.update(statistics)
        return losses | {f"AMP/{name}": float(value) for name, value in statistics.items()}

    def _style_reward(self, windows: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
        """Style reward of every step, (T, N); zero where the window is not real."""
        style = self.discriminator.style_reward(windows, self.amp_cfg.reward_epsilon)
        return torch.where(is_real, style, 0.0)  # not a product: what is not real may be NaN

    def _blend(self, style: torch.Tensor) -> None:
        """Weigh task and style. Bootstrapped values and other bonuses in the stored rewards keep their weight."""
        cfg, storage = self.amp_cfg, self.storage
        warm = min(1.0, (self._iteration + 1) / cfg.style_warmup) if cfg.style_warmup else 1.0
        change = (cfg.task_weight - 1.0) * storage.task_rewards + warm * cfg.style_weight * self.step_dt * style
        storage.rewards += change.unsqueeze(-1)

    def train_mode(self) -> None:
        """Set train mode for learnable models."""
        super().train_mode()
        self.discriminator.train()

    def eval_mode(self) -> None:
        """Set evaluation mode for learnable models."""
        super().eval_mode()
        self.discriminator.eval()

    def save(self) -> dict:
        """Return PPO's state with AMP's under the key ``amp``."""
        return super().save() | {
            "amp": self.trainer.state_dict()
            | {
                "history": self.storage.history_state_dict(),
                "memory": memory_state_dict(self) | self._hidden_states,
                "saturation": self.saturation.state_dict(),
                "statistics": {name: float(value) for name, value in self._statistics.items()},
                "iteration": self._iteration,
                "num_frames": self.amp_cfg.num_frames,
                "frame_dim": self.motions.dim,
                "motion_hashes": self.motions.hashes,
            }
        }

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Load PPO's state and, where the checkpoint has it and ``load_cfg`` does not exclude it, AMP's."""
        self._hidden_states = {}
        load_iteration = super().load(loaded_dict, load_cfg, strict)
        state = loaded_dict.get("amp")
        if state is None or not is_loaded("amp", load_cfg):
            return load_iteration
        if not is_loaded("optimizer", load_cfg):
            # Another training begins from these networks: only the discriminator's is wanted, not its past.
            self.discriminator.load_state_dict(state["discriminator"], strict=strict)
            return load_iteration
        self.trainer.load_state_dict(state, strict)
        self.storage.load_history_state_dict(state["history"])
        self._iteration = check_count("iteration", state["iteration"])
        if "memory" in state:  # files of 0.1.0 have none
            self._load_memory(state, load_cfg)
        return load_iteration

    def _load_memory(self, state: dict, load_cfg: dict | None) -> None:
        self.saturation.load_state_dict(state["saturation"])
        # They stand in the log until the next update of the discriminator.
        self._statistics = {name: torch.tensor(float(x), device=self.device) for name, x in state["statistics"].items()}
        self._hidden_states = hidden_states(self, state["memory"], load_cfg)
        if is_loaded("rnd", load_cfg):
            load_rnd_memory(self, state["memory"])

    def broadcast_parameters(self) -> None:
        """Broadcast model parameters to all GPUs."""
        super().broadcast_parameters()
        for tensor in self.discriminator.state_dict().values():
            torch.distributed.broadcast(tensor, src=0)

    @staticmethod
    def construct_algorithm(obs: TensorDict, env: VecEnv, cfg: dict, device: str) -> AMPPPO:
        """Construct the algorithm as RSL-RL's runner does, after checking that the environment offers AMP states.

        Raises:
            ConfigError: the environment has no usable ``amp`` group, or the configuration is wrong.
            MotionError: a motion file cannot be read or does not fit.
        """
        check_amp_group(obs)
        if "amp_cfg" not in cfg["algorithm"]:
            raise ConfigError('algorithm.amp_cfg is missing; expected at least {"motions": "path/to/clip.npz"}')
        algorithm = cfg["algorithm"] | {
            "env_step_dt": env_step_dt(env),
            "amp_spec": AMPStateSpec.from_env_cfg(getattr(env, "cfg", None)),
        }
        return PPO.construct_algorithm(obs, env, cfg | {"algorithm": algorithm}, device)  # type: ignore[return-value]

    def _resolve_step_dt(self, env_step_dt: float | None) -> float:
        step_dt = self.amp_cfg.step_dt or env_step_dt or self.motions.dt
        if step_dt is None:
            raise ConfigError(
                "the time step is unknown: neither the environment (step_dt) nor the clips (dt) say it; set "
                "amp_cfg.step_dt, in seconds"
            )
        return step_dt
