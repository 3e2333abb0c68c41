"""AMPOnPolicyRunner: RSL-RL's runner with AMP's log tags, checkpoints and callbacks."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NoReturn

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner

from amp_runner.env_interface import env_step_count, set_env_step_count
from amp_runner.errors import AMPError, CheckpointError, DivergenceError, EnvError
from amp_runner.learning.checkpoint import (
    check_finite,
    check_resumable,
    is_loaded,
    random_state,
    read_checkpoint,
    set_random_state,
    write_checkpoint,
)
from amp_runner.learning.config import check_int
from amp_runner.learning.env_check import terms_at_fault
from amp_runner.learning.failures import describe_out_of_memory
from amp_runner.learning.interruption import StopRequest, TrainingStopped, exclusive_folder
from amp_runner.learning.logger import AMPLogger, TrainingCallback
from amp_runner.learning.ppo import AMPPPO

logger = logging.getLogger(__name__)

_CHECKPOINT_NAME = re.compile(r"model_\d+\.pt")  # files of other names are the user's and are never deleted


class AMPOnPolicyRunner(OnPolicyRunner):
    """On-policy runner for :class:`~amp_runner.AMPPPO`.

    In addition to RSL-RL's runner it logs under ``AMP/``, writes checkpoints atomically, never executes code from a
    checkpoint, and rejects checkpoints that do not fit.
    """

    alg: AMPPPO

    def __init__(self, env: VecEnv, train_cfg: dict, log_dir: str | None = None, device: str = "cpu") -> None:
        """Build the runner.

        Args:
            env: environment with the observation group ``amp``, shape (num_envs, D).
            train_cfg: RSL-RL's dictionary, with ``algorithm.class_name = "amp_runner:AMPPPO"`` and ``algorithm.amp_cfg``.
                ``keep_checkpoints = n`` keeps only the last n files ``model_N.pt`` of the folder, those of earlier processes
                included; None or no such key keeps all.
            log_dir: folder of the run; None writes nothing.
            device: training device.

        Raises:
            ConfigError: the configuration or the environment does not fit.
            MotionError: a motion file cannot be read or does not fit.
        """
        self._keep_checkpoints = train_cfg.get("keep_checkpoints")
        if self._keep_checkpoints is not None:
            check_int("keep_checkpoints", self._keep_checkpoints, 1)
        self._stop_request: StopRequest | None = None
        self._failed_save: str | None = None
        self._finished_iteration: int | None = None
        self.callbacks: list[TrainingCallback] = []
        """Called after each iteration and at the end, in order."""
        super().__init__(env, train_cfg, log_dir, device)
        self.cfg["check_for_nan"] = False  # AMPPPO's own check also finds infinite numbers, and names the environments
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
        self.logger.runner = self

    def learn(self, num_learning_iterations: int, init_at_random_ep_len: bool = False) -> None:
        """Train as RSL-RL's runner does.

        SIGTERM and Ctrl-C let the iteration finish, save a checkpoint and end the process with status 143 or 130; a second
        Ctrl-C stops at once. A save that fails is repeated at the next interval.

        Args:
            num_learning_iterations: number of iterations.
            init_at_random_ep_len: start episodes at random lengths, so that not all end at the same time.

        Raises:
            ConfigError: another process trains into the same folder.
            CheckpointError: the last save failed, or the networks hold NaN.
            EnvError: the environment returned NaN, infinite or impossible numbers; the last finished iteration is saved.
            DivergenceError: the policy's actions or a loss are no longer finite; nothing is saved.
            AMPError: the GPU's memory is exhausted; the message says what to lower.
        """
        folder = self.logger.log_dir if self.gpu_global_rank == 0 else None
        with exclusive_folder(folder), StopRequest() as self._stop_request:
            try:
                super().learn(num_learning_iterations, init_at_random_ep_len)
            except TrainingStopped as stop:
                self._end_early(stop)
            except EnvError as fault:
                raise self._describe_and_save(fault) from None
            except DivergenceError as fault:
                raise DivergenceError(f"{fault}; {self._last_checkpoint()}") from None
            except torch.OutOfMemoryError as error:
                raise AMPError(describe_out_of_memory(self.alg)) from error
            finally:
                self._stop_request = None
        if self._failed_save is not None:
            raise CheckpointError(f"the last checkpoint could not be saved: {self._failed_save}")

    def end_iteration(self) -> None:
        """Note a finished iteration; end the training if a signal asked for it, in all processes of a distributed run."""
        self._finished_iteration = self.current_learning_iteration
        signum = 0 if self._stop_request is None else self._stop_request.signum
        if self.is_distributed:
            shared = torch.tensor(signum, device=self.device)
            torch.distributed.all_reduce(shared, op=torch.distributed.ReduceOp.MAX)
            signum = int(shared)
        if signum:
            raise TrainingStopped(signum)

    def _describe_and_save(self, fault: EnvError) -> EnvError:
        message = str(fault)
        terms = terms_at_fault(self.env, fault)
        if terms:
            message += f"; terms: {', '.join(terms)}"
        if self.logger.writer is not None and self._finished_iteration is not None:
            path = str(Path(self.logger.log_dir) / f"model_{self._finished_iteration}.pt")  # type: ignore[arg-type]
            self.save(path)
            message += f"; saved before it: {path}"
        return EnvError(message, fault.group, fault.env_index)

    def _last_checkpoint(self) -> str:
        saved = self._checkpoints()
        return f"the last checkpoint is {saved[-1]}" if saved else "nothing was saved before"

    def _checkpoints(self) -> list[Path]:
        """Checkpoints of the run's folder, the newest last."""
        folder = Path(self.logger.log_dir) if self.logger.log_dir is not None else None
        saved = [] if folder is None else [f for f in folder.glob("model_*.pt") if _CHECKPOINT_NAME.fullmatch(f.name)]
        return sorted(saved, key=lambda f: (f.stat().st_mtime_ns, int(f.stem.removeprefix("model_"))))

    def _end_early(self, stop: TrainingStopped) -> NoReturn:
        iteration = self.current_learning_iteration
        if self.logger.writer is not None:
            path = str(Path(self.logger.log_dir) / f"model_{iteration}.pt")  # type: ignore[arg-type]
            self.save(path)
            if self._failed_save is None:
                print(f"{stop}: stopped after iteration {iteration}; resume with --checkpoint {path}", flush=True)
            self.logger.stop_logging_writer()
        raise SystemExit(128 + stop.signum)

    def save(self, path: str, infos: dict | None = None) -> None:
        """Atomically save the training state to ``path`` and delete checkpoints beyond ``keep_checkpoints``.

        Of the environment, only its step count is saved, on which curricula depend. During a training, a save that fails is
        a warning.

        Raises:
            CheckpointError: the networks hold NaN or infinite values; nothing is written.
            OSError: the file cannot be written (outside of a training).
        """
        state = self.alg.save() | {
            "iter": self.current_learning_iteration,
            "env_steps": env_step_count(self.env),
            "infos": infos,
            "random": random_state(),
        }
        check_finite(path, state)
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(path, state)
        except OSError as error:
            if self._stop_request is None:
                raise
            self._failed_save = f"{path}: {error.strerror or error}"
            logger.warning("%s: not saved; the training continues and saves at the next interval", self._failed_save)
            return
        self._failed_save = None
        self.logger.save_model(path, self.current_learning_iteration)
        if self._keep_checkpoints is not None:
            for file in self._checkpoints()[: -self._keep_checkpoints]:
                file.unlink(missing_ok=True)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict | None:
        """Load a checkpoint of this runner or of plain RSL-RL (which has no discriminator; a new one is initialised).

        Args:
            path: checkpoint file.
            load_cfg: which parts to load, as in RSL-RL, and ``amp``; None loads all. Without the optimizer a new training
                starts from the networks: other motions are accepted, and a discriminator that does not fit is initialised
                anew. With the iteration, the environment's step count and, on the first process, PyTorch's random generators
                are restored too.
            strict: require that the models match exactly and that the motions are those of the checkpoint.
            map_location: device on which the tensors are placed.

        Raises:
            CheckpointError: the file cannot be read or does not fit this run.
        """
        state = read_checkpoint(path, map_location or self.device)
        check_finite(path, state)
        saved = state.get("amp") if is_loaded("amp", load_cfg) else None
        try:
            if load_cfg is None or is_loaded("optimizer", load_cfg):
                check_resumable(path, state, with_rnd=bool(self.alg.rnd) and is_loaded("rnd", load_cfg))
                self._check_fit(path, saved, strict)
            else:
                load_cfg = self._exclude_misfit(path, saved, load_cfg)
            load_iteration = self.alg.load(state, load_cfg, strict)
            if load_iteration:
                self.current_learning_iteration = int(state["iter"]) + 1  # that iteration is finished
                set_env_step_count(self.env, int(state.get("env_steps") or 0))
            if load_iteration and "random" in state and self.gpu_global_rank == 0:
                set_random_state(state["random"])
        except CheckpointError:
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path}: does not fit this run: {error}") from error
        return state.get("infos")

    def _misfit(self, saved: dict) -> str | None:
        """Describe how the checkpoint's discriminator differs from this run's; None if it fits."""
        for name, found, expected, unit in (
            ("AMP states with", saved["frame_dim"], self.alg.motions.dim, "numbers"),
            ("windows of", saved["num_frames"], self.alg.amp_cfg.num_frames, "frames"),
            ("layers of", _layers(saved["discriminator"]), _layers(self.alg.discriminator.state_dict()), "units"),
        ):
            if found != expected:
                return f"{name} {found} {unit}; this run has {expected}"
        return None

    def _exclude_misfit(self, path: str, saved: dict | None, load_cfg: dict) -> dict:
        misfit = None if saved is None else self._misfit(saved)
        if misfit is None:
            return load_cfg
        logger.warning("%s: discriminator not loaded: it was trained on %s", path, misfit)
        return {**load_cfg, "amp": False}

    def _check_fit(self, path: str, saved: dict | None, strict: bool) -> None:
        if saved is None:
            return
        misfit = self._misfit(saved)
        if misfit is not None:
            raise CheckpointError(f"{path}: was trained on {misfit}: use the run's own settings")
        motion_hashes = self.alg.motions.hashes
        if strict and sorted(saved["motion_hashes"].values()) != sorted(motion_hashes.values()):
            raise CheckpointError(
                f"{path}: was trained on other motion files ({_names(saved['motion_hashes'])}) than this run's "
                f"({_names(motion_hashes)}); to resume with the new ones, load with strict=False, or start a new training "
                "from its networks: --no-resume_optimizer_state"
            )


def _layers(discriminator: dict[str, torch.Tensor]) -> list[int]:
    return [len(tensor) for name, tensor in discriminator.items() if name.endswith(".bias")]


def _names(hashes: dict[str, str]) -> str:
    return ", ".join(f"{Path(path).name} {digest[:8]}" for path, digest in hashes.items())
