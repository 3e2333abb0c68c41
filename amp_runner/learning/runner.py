"""AMPOnPolicyRunner: RSL-RL's runner with AMP's log tags and checkpoints."""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from rsl_rl.utils.logger import Logger

from amp_runner.env_interface import env_step_count, set_env_step_count
from amp_runner.errors import CheckpointError, ConfigError
from amp_runner.learning.checkpoint import (
    check_resumable,
    is_loaded,
    random_state,
    read_checkpoint,
    set_random_state,
    write_checkpoint,
)
from amp_runner.learning.config import check_int
from amp_runner.learning.ppo import AMPPPO
from amp_runner.learning.rollout_storage import AMP_GROUP, AMPRolloutStorage
from amp_runner.state import AMPStateSpec
from amp_runner.viewers.snapshots import PolicySnapshotLogger

_TAG = "AMP/"
_OWN_NAME = re.compile(r"model_\d+\.pt")  # what the runner calls its checkpoints; others are their owner's to remove
logger = logging.getLogger(__name__)


class AMPLogger(Logger):
    """Logs AMP's statistics under their own tags rather than among the losses, and pictures of the policy."""

    watcher: PolicySnapshotLogger | None = None
    storage: AMPRolloutStorage | None = None
    """Where the watcher finds the last rollout."""

    def init_logging_writer(self) -> None:
        """Open the writer; lay TensorBoard's charts out as ``tensorboard_layout`` says: [panel, chart, tags] each."""
        super().init_logging_writer()
        layout: dict[str, dict[str, list]] = {}
        for panel, chart, tags in self.cfg.get("tensorboard_layout") or ():
            layout.setdefault(panel, {})[chart] = ["Multiline", tags]
        if layout and hasattr(self.writer, "add_custom_scalars"):
            self.writer.add_custom_scalars(layout)

    def log(self, *, loss_dict: dict, **kwargs) -> None:
        """Log one iteration; entries of ``loss_dict`` that start with ``AMP/`` keep their name."""
        if self.writer is not None:
            self.ep_extras.append({k: v for k, v in loss_dict.items() if k.startswith(_TAG)})
        super().log(loss_dict={k: v for k, v in loss_dict.items() if not k.startswith(_TAG)}, **kwargs)
        if self.watcher is not None and self.writer is not None:
            self.watcher.add(self.storage.observations[AMP_GROUP][:, 0], self.storage.dones[:, 0])
            self._show_pictures(kwargs["it"])

    def stop_logging_writer(self) -> None:
        """Wait for the pictures that are being drawn, then close the writer."""
        if self.watcher is not None and self.writer is not None:
            self._show_pictures(None)
        if hasattr(self.writer, "flush"):  # a simulator may end the process before the writer's own thread gets to it
            self.writer.flush()
        super().stop_logging_writer()

    def _show_pictures(self, iteration: int | None) -> None:
        """Begin new ones where they are due, and show those that are done; None waits for all. Training never fails here."""
        try:
            if iteration is not None and (iteration + 1) % self.watcher.interval == 0:
                self.watcher.start(iteration)
            failures = self.watcher.show(self.writer, wait=iteration is None)
        except (ImportError, OSError, ValueError) as error:
            failures = [str(error)]
        if failures:
            warnings.warn(f"{failures[0]}; no more pictures of this run", stacklevel=2)
            self.watcher = None


class AMPOnPolicyRunner(OnPolicyRunner):
    """On-policy runner for :class:`~amp_runner.AMPPPO`.

    Beyond RSL-RL's runner it logs under ``AMP/``, writes checkpoints atomically, never executes code from a checkpoint, and
    refuses one that does not fit.
    """

    alg: AMPPPO

    def __init__(self, env: VecEnv, train_cfg: dict, log_dir: str | None = None, device: str = "cpu") -> None:
        """Build the runner.

        Args:
            env: environment with the observation group ``amp``, shape (num_envs, D).
            train_cfg: RSL-RL's dictionary, with ``algorithm.class_name = "amp_runner:AMPPPO"`` and ``algorithm.amp_cfg``.
                With ``keep_checkpoints = n`` only the last n checkpoints of a run are kept; None or no such key keeps all.
                With ``watch_interval = n`` and ``watch_robot``, an MJCF or URDF file, TensorBoard shows a picture and a
                film of the policy every n iterations. ``tensorboard_layout`` lists [panel, chart, tags].
            log_dir: folder of the run; None writes nothing.
            device: where to train.

        Raises:
            ConfigError: the configuration or the environment does not fit.
            MotionError: a motion file cannot be read or does not fit.
        """
        self._keep_checkpoints = train_cfg.get("keep_checkpoints")
        if self._keep_checkpoints is not None:
            check_int("keep_checkpoints", self._keep_checkpoints, 1)
        self._saved: list[Path] = []
        super().__init__(env, train_cfg, log_dir, device)
        self.logger = AMPLogger(
            log_dir=log_dir,
            cfg=self.cfg,
            env_cfg=self.env.cfg,
            num_envs=self.env.num_envs,
            is_distributed=self.is_distributed,
            gpu_world_size=self.gpu_world_size,
            gpu_global_rank=self.gpu_global_rank,
            device=self.device,
        )
        self.logger.storage, self.logger.watcher = self.alg.storage, self._watcher(log_dir)

    def _watcher(self, log_dir: str | None) -> PolicySnapshotLogger | None:
        interval, robot = self.cfg.get("watch_interval") or 0, self.cfg.get("watch_robot")
        check_int("watch_interval", interval, 0)
        spec = AMPStateSpec.from_env_cfg(getattr(self.env, "cfg", None))
        if interval and (robot is None or not Path(robot).is_file()):
            raise ConfigError(f"watch_interval is {interval}, watch_robot {robot!r}; expected a robot's file to draw")
        if not interval or log_dir is None or spec is None or self.gpu_global_rank != 0:
            return None
        return PolicySnapshotLogger(Path(log_dir) / "watch", spec, self.alg.step_dt, robot, interval)

    def save(self, path: str, infos: dict | None = None) -> None:
        """Save what training needs to go on to ``path``, atomically; remove what is not to be kept.

        The environment's state is not in it, except for the steps that it counted, by which curricula go.
        """
        state = self.alg.save() | {
            "iter": self.current_learning_iteration,
            "env_steps": env_step_count(self.env),
            "infos": infos,
            "random": random_state(),
        }
        write_checkpoint(path, state)
        self.logger.save_model(path, self.current_learning_iteration)
        folder = self.logger.log_dir
        if folder is not None and Path(path).parent == Path(folder) and _OWN_NAME.fullmatch(Path(path).name):
            self._saved = [*(saved for saved in self._saved if saved != Path(path)), Path(path)]
        while self._keep_checkpoints is not None and len(self._saved) > self._keep_checkpoints:
            self._saved.pop(0).unlink(missing_ok=True)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict | None:
        """Load a checkpoint of this runner or of plain RSL-RL, whose discriminator then starts fresh.

        Args:
            path: checkpoint file.
            load_cfg: which parts to load, as in RSL-RL, and ``amp``; None loads all. Without the optimizer another training
                begins from the networks: other motions are accepted, and a discriminator that does not fit starts
                fresh. With the iteration the environment's count of steps and, on the first process, the random generators
                are restored too.
            strict: whether the models must match exactly. Otherwise other motions than the checkpoint's are accepted.
            map_location: device that the tensors are put on.

        Raises:
            CheckpointError: the file cannot be read or does not fit this run.
        """
        state = read_checkpoint(path, map_location or self.device)
        saved = state.get("amp") if is_loaded("amp", load_cfg) else None
        try:
            if is_loaded("optimizer", load_cfg):
                check_resumable(path, state, with_rnd=bool(self.alg.rnd) and is_loaded("rnd", load_cfg))
                self._check_fit(path, saved, strict)
            else:
                load_cfg = self._without_misfit(path, saved, load_cfg)
            load_iteration = self.alg.load(state, load_cfg, strict)
            env_steps = int(state.get("env_steps") or 0)
            if load_iteration:
                self.current_learning_iteration = int(state["iter"])
                set_env_step_count(self.env, env_steps)
            if load_iteration and "random" in state and self.gpu_global_rank == 0:
                set_random_state(state["random"])
        except CheckpointError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: does not fit this run: {error}") from error
        return state.get("infos")

    def _misfit(self, saved: dict) -> str | None:
        """What the checkpoint's discriminator saw, where this run's sees something else."""
        for name, found, expected, unit in (
            ("AMP states with", saved["frame_dim"], self.alg.motions.dim, "numbers"),
            ("windows of", saved["num_frames"], self.alg.amp_cfg.num_frames, "frames"),
            ("layers of", _layers(saved["discriminator"]), _layers(self.alg.discriminator.state_dict()), "units"),
        ):
            if found != expected:
                return f"{name} {found} {unit}; this run has {expected}"
        return None

    def _without_misfit(self, path: str, saved: dict | None, load_cfg: dict) -> dict:
        misfit = None if saved is None else self._misfit(saved)
        if misfit is None:
            return load_cfg
        logger.warning("%s: its discriminator was trained on %s: this run's starts fresh", path, misfit)
        return {**load_cfg, "amp": False}

    def _check_fit(self, path: str, saved: dict | None, strict: bool) -> None:
        if saved is None:
            return
        alg = self.alg
        misfit = self._misfit(saved)
        if misfit is not None:
            raise CheckpointError(f"{path}: was trained on {misfit}: use the run's own settings")
        if strict and sorted(saved["motion_hashes"].values()) != sorted(alg.motions.hashes.values()):
            raise CheckpointError(
                f"{path}: was trained on other motion files ({_names(saved['motion_hashes'])}) than this run's "
                f"({_names(alg.motions.hashes)}); to go on with them, load with strict=False, or begin another training "
                "from its networks: --no-resume_optimizer_state"
            )


def _layers(discriminator: dict[str, torch.Tensor]) -> list[int]:
    return [len(tensor) for name, tensor in discriminator.items() if name.endswith(".bias")]


def _names(hashes: dict[str, str]) -> str:
    return ", ".join(f"{Path(path).name} {digest[:8]}" for path, digest in hashes.items())
