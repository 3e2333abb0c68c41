"""The log of a training: AMP's tags and charts, and the callbacks that follow the training."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from rsl_rl.utils.logger import Logger

logger = logging.getLogger(__name__)

_TAG = "AMP/"
_CHARTS = {
    "AMP": {
        "reward per step: style and task": [r"AMP/style_reward", r"AMP/task_reward"],
        "discriminator accuracy: expert and policy windows": [r"AMP/accuracy_expert", r"AMP/accuracy_policy"],
        "discriminator logit: expert and policy windows": [r"AMP/logit_expert", r"AMP/logit_policy"],
        "discriminator loss and gradient penalty": [r"AMP/discriminator_loss", r"AMP/gradient_penalty"],
    },
    "Task": {
        "mean episode reward": [r"Train/mean_reward$"],
        "mean episode length [steps]": [r"Train/mean_episode_length$"],
        "reward terms": [r"Episode_Reward/.*"],
    },
}
"""Charts of TensorBoard's tab "Custom scalars": panel, chart, regular expressions of the tags."""


class TrainingCallback(Protocol):
    """Something that follows a training, for example to draw pictures: one of a runner's ``callbacks``."""

    def after_iteration(self, runner: Any, iteration: int) -> None:
        """Called with the :class:`~amp_runner.AMPOnPolicyRunner` after each iteration has been logged."""

    def after_training(self, runner: Any) -> None:
        """Called at the end, before the log is closed."""


class AMPLogger(Logger):
    """Logs AMP's statistics under their own tags instead of among the losses, and calls the runner's callbacks."""

    runner: Any

    def init_logging_writer(self) -> None:
        """Open the writer; arrange AMP's charts on TensorBoard's tab "Custom scalars"."""
        super().init_logging_writer()
        add_custom_scalars = getattr(self.writer, "add_custom_scalars", None)
        if add_custom_scalars is not None:
            layout = {
                name: {chart: ["Multiline", tags] for chart, tags in charts.items()} for name, charts in _CHARTS.items()
            }
            add_custom_scalars(layout)

    def log(self, *, it: int, loss_dict: dict, **kwargs: Any) -> None:
        """Log one iteration; entries of ``loss_dict`` that start with ``AMP/`` keep their name."""
        if self.writer is not None:
            self.ep_extras.append({k: v for k, v in loss_dict.items() if k.startswith(_TAG)})
        try:
            super().log(it=it, loss_dict={k: v for k, v in loss_dict.items() if not k.startswith(_TAG)}, **kwargs)
        except OSError as error:
            logger.warning("%s: curves of iteration %d not complete: %s", self.log_dir, it, error.strerror or error)
            self._reopen_writer()
        for callback in self.runner.callbacks:
            callback.after_iteration(self.runner, it)
        self.runner.end_iteration()

    def stop_logging_writer(self) -> None:
        """Let the callbacks finish, then close the writer."""
        for callback in self.runner.callbacks:
            callback.after_training(self.runner)
        flush = getattr(self.writer, "flush", None)
        if flush is not None:  # a simulator may end the process before the writer's thread flushes
            try:
                flush()
            except OSError as error:
                logger.warning("%s: last curves not complete: %s", self.log_dir, error.strerror or error)
        super().stop_logging_writer()

    def _reopen_writer(self) -> None:
        """Begin a new event file: TensorBoard's writer does not recover when its folder is gone or the disk is full."""
        self.ep_extras.clear()
        try:
            self.init_logging_writer()  # makes the folder again
        except OSError as error:
            logger.warning("%s: cannot be written: %s", self.log_dir, error.strerror or error)
