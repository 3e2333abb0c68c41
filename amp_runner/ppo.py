"""AMPPPO: RSL-RL's PPO with a style reward from a discriminator. The order of work, nothing else."""

from __future__ import annotations

import torch
from rsl_rl.algorithms import PPO
from rsl_rl.env import VecEnv
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from .config import AMPCfg
from .discriminator import Discriminator
from .environment import check_amp_group, env_step_dt
from .errors import ConfigError
from .motion import MotionDataset
from .replay import ReplayBuffer
from .state import AMPStateSpec
from .storage import AMP_GROUP, AMPRolloutStorage

_MAX_BATCH_SIZE = 8192
_ROLLOUT_PARTS = 12  # the default batch is one part, so 20 updates see each window of the rollout about 1.7 times


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
        self.amp_cfg = AMPCfg.from_dict(amp_cfg)
        num_frames, frame_dim = self.amp_cfg.num_frames, storage.observations[AMP_GROUP].shape[-1]
        self.motions = MotionDataset.load(
            self.amp_cfg.motion_entries(),
            num_frames,
            dim=frame_dim,
            step_dt=env_step_dt,
            spec=amp_spec,
            resample=self.amp_cfg.resample_motions,
            device=self.device,
        )
        self.step_dt = self._resolve_step_dt(env_step_dt)
        self.storage = AMPRolloutStorage(storage, num_frames)
        self.replay = ReplayBuffer(self.amp_cfg.replay_size, (num_frames, frame_dim), self.device)
        rollout_size = storage.num_envs * storage.num_transitions_per_env
        self.batch_size = self.amp_cfg.discriminator.batch_size or max(
            2, min(_MAX_BATCH_SIZE, rollout_size // _ROLLOUT_PARTS)
        )
        # Its own generator: AMP must not change the random numbers that PPO and the environment draw.
        seed = torch.initial_seed() % 2**32
        self.generator = torch.Generator(self.device).manual_seed(seed + self.gpu_global_rank)
        self.discriminator = Discriminator(frame_dim, num_frames, self.amp_cfg.discriminator, self.device, seed)
        self._statistics: dict[str, torch.Tensor] = {}

    def process_env_step(
        self, obs: TensorDict, rewards: torch.Tensor, dones: torch.Tensor, extras: dict[str, torch.Tensor]
    ) -> None:
        """Record one environment step, with the AMP state that it led to."""
        ended = dones.bool()
        successors, known = obs[AMP_GROUP], ~ended
        # Where an episode ended, obs is already the next episode's; only final_obs has the state that was reached.
        final = extras.get("final_obs", {}).get(AMP_GROUP)
        if final is not None:
            successors = torch.where(ended.unsqueeze(-1), final.to(self.device), successors)
            known = torch.ones_like(ended)
        self.storage.add_successors(self.transition.observations[AMP_GROUP], successors, dones, known)
        self.storage.task_rewards[self.storage.step] = rewards
        super().process_env_step(obs, rewards, dones, extras)

    def compute_returns(self, obs: TensorDict) -> None:
        """Update the discriminator, blend the style reward in, then compute returns as PPO does."""
        # The runner calls this in inference mode, where nothing can be differentiated.
        with torch.inference_mode(False), torch.enable_grad():
            windows, is_real = self.storage.windows()
            self._update_discriminator(windows[is_real])
            style = self._style_reward(windows, is_real)
            self._blend(style)
            self._statistics["style_reward"] = style.sum() / is_real.sum().clamp(min=1)
            self._statistics["task_reward"] = self.storage.task_rewards.mean()
        super().compute_returns(obs)

    def update(self) -> dict[str, float]:
        """Run PPO's update; returns its losses and AMP's statistics, the latter with the prefix ``AMP/``."""
        losses = super().update()
        values = torch.stack(list(self._statistics.values())).tolist()
        return losses | {f"AMP/{name}": value for name, value in zip(self._statistics, values)}

    def _update_discriminator(self, rollout: torch.Tensor) -> None:
        """Train on expert windows against policy windows, from the rollout (M, K, D) and from the replay."""
        if not self._all_ranks_have_windows(len(rollout)):
            return
        self.discriminator.update_normalizer(
            self.motions.sample(self.batch_size, self.generator), self._draw(rollout, self.batch_size)
        )
        sums: dict[str, torch.Tensor] = {}
        for _ in range(self.amp_cfg.discriminator.num_updates):
            expert = self.motions.sample(self.batch_size, self.generator)
            loss, statistics = self.discriminator.loss(expert, self._policy_batch(rollout), self.generator)
            self.discriminator.optimizer.zero_grad()
            loss.backward()
            if self.is_multi_gpu:
                self._average_gradients()
            self.discriminator.optimizer.step()
            sums = {name: sums.get(name, 0.0) + value for name, value in statistics.items()}
        self._statistics = {name: value / self.amp_cfg.discriminator.num_updates for name, value in sums.items()}
        if self.amp_cfg.replay_size:
            # Few at a time, so that the replay reaches back over about fifty rollouts.
            self.replay.insert(self._draw(rollout, max(1, self.amp_cfg.replay_size // 50)))

    def _all_ranks_have_windows(self, count: int) -> bool:
        """Whether every process has a real window; the others would wait for one that has not."""
        if not self.is_multi_gpu:
            return count > 0
        fewest = torch.tensor(count, device=self.device)
        torch.distributed.all_reduce(fewest, op=torch.distributed.ReduceOp.MIN)
        return bool(fewest > 0)

    def _average_gradients(self) -> None:
        """Average the discriminator's gradients over all processes (RSL-RL 5.5 or newer)."""
        from rsl_rl.utils import reduce_gradients_in_buckets  # 5.4 trains with AMP as well, on one GPU

        reduce_gradients_in_buckets(self.discriminator.net.parameters(), self.gpu_world_size, self.grad_reduce_bucket_mb)

    def _policy_batch(self, rollout: torch.Tensor) -> torch.Tensor:
        """Policy windows, half from the rollout and half from the replay, shape (B, K, D)."""
        if not len(self.replay):
            return self._draw(rollout, self.batch_size)
        half = self.batch_size // 2
        past = self.replay.sample(self.batch_size - half, self.generator)
        return torch.cat([self._draw(rollout, half), past])

    def _draw(self, windows: torch.Tensor, count: int) -> torch.Tensor:
        index = torch.randint(len(windows), (count,), generator=self.generator, device=windows.device)
        return windows[index]

    def _style_reward(self, windows: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
        """Style reward of every step, (T, N); zero where the episode is younger than a window."""
        return self.discriminator.style_reward(windows, self.amp_cfg.reward_epsilon) * is_real

    def _blend(self, style: torch.Tensor) -> None:
        """Weigh task and style. Bootstrapped values and other bonuses in the stored rewards keep their weight."""
        cfg, storage = self.amp_cfg, self.storage
        change = (cfg.task_weight - 1.0) * storage.task_rewards + cfg.style_weight * self.step_dt * style
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
            "amp": {
                "discriminator": self.discriminator.state_dict(),
                "optimizer": self.discriminator.optimizer.state_dict(),
                "replay": self.replay.state_dict(),
                "history": self.storage.history_state_dict(),
                "generator": self.generator.get_state(),
                "num_frames": self.amp_cfg.num_frames,
                "frame_dim": self.motions.dim,
                "motion_hashes": self.motions.hashes,
            }
        }

    def load(self, loaded_dict: dict, load_cfg: dict | None, strict: bool) -> bool:
        """Load PPO's state and, where the checkpoint has it and ``load_cfg`` does not exclude it, AMP's."""
        load_iteration = super().load(loaded_dict, load_cfg, strict)
        state = loaded_dict.get("amp")
        if state is not None and (load_cfg is None or load_cfg.get("amp", True)):
            self._load_amp(state, strict)
        return load_iteration

    def _load_amp(self, state: dict, strict: bool) -> None:
        self.discriminator.load_state_dict(state["discriminator"], strict=strict)
        self.discriminator.optimizer.load_state_dict(state["optimizer"])
        self.replay.load_state_dict(state["replay"])
        self.storage.load_history_state_dict(state["history"])
        self.generator.set_state(state["generator"].cpu())

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
