"""Configuration of AMP: the contents of ``train_cfg["algorithm"]["amp_cfg"]``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from rsl_rl.utils import resolve_nn_activation

from amp_runner.errors import ConfigError, suggestion
from amp_runner.state import AMPStateSpec


@dataclass
class DiscriminatorCfg:
    """The discriminator and its training."""

    hidden_dims: list[int] = field(default_factory=lambda: [256, 256])
    """Sizes of the hidden layers."""
    activation: str = "relu"
    """Activation function, by RSL-RL's names."""
    learning_rate: float = 1e-4
    """Learning rate of the discriminator's own AdamW optimizer."""
    gradient_penalty: float = 0.2
    """Weight of the gradient penalty: the mean squared norm of the logit's gradient with respect to the normalised expert
    input. Strong penalties (5 is common elsewhere) flatten the style reward until it no longer changes the gait."""
    weight_decay: float = 1e-3
    """Weight decay of the optimizer."""
    ignored_features: list[str] = field(default_factory=list)
    """Features of the AMP state that the discriminator does not see. If the clips have only a few speeds, ignore
    ``root_lin_vel``: the discriminator would reject every window at another speed, whatever its gait."""
    input_noise: float = 0.4
    """Standard deviation of the noise on the normalised training input. Raise it if the discriminator saturates."""
    num_updates: int = 20
    """Gradient steps per iteration."""
    batch_size: int | None = None
    """Expert windows, and as many policy windows, in one gradient step. None: one twelfth of the rollout, at most 8,192."""


@dataclass
class MirrorCfg:
    """Left-right mirroring of a frame: column i of the mirrored frame is ``signs[i]`` times column ``permutation[i]``.

    :meth:`amp_runner.AMPStateSpec.mirror` computes both from the names of the joints.
    """

    permutation: list[int] = field(default_factory=list)
    """Source column of each column of the mirrored frame. Empty: no mirroring."""
    signs: list[float] = field(default_factory=list)
    """Sign of each column of the mirrored frame, 1 or -1."""
    probability: float = 0.5
    """Probability with which a training window, expert or policy, is mirrored."""

    def validate_for(self, state_dim: int) -> None:
        """Check that the mirroring is declared for AMP states of ``state_dim`` numbers.

        Raises:
            ConfigError: it is declared for another number of columns.
        """
        if self.permutation and self.probability and len(self.permutation) != state_dim:
            raise ConfigError(
                f"amp_cfg.mirror is declared for {len(self.permutation)} columns; the AMP state has {state_dim}: compute it "
                "with AMPStateSpec.mirror for this environment, or disable it: amp_cfg.mirror.probability=0.0 (on the "
                "command line agent.algorithm.amp_cfg.mirror.probability=0.0)"
            )


@dataclass
class AMPCfg:
    """Adversarial motion priors on top of PPO.

    The defaults were tuned on the ostrich task, which overrides ``style_weight`` (13) and enables mirroring.
    """

    motions: Any = None
    """Reference motions: a path, or a list of paths or of ``{"path": ..., "weight": ...}``. A path is a clip file (.npz)
    or a folder of them. Weights are relative; within one entry all windows are equally likely. Required."""
    layout: dict[str, Any] | None = None
    """Layout of the environment's AMP states, for environments that do not declare it as ``amp_spec``: a dictionary with
    ``joint_names`` and, where they differ from the defaults, the other fields of :class:`amp_runner.AMPStateSpec`. Clips are
    checked against it."""
    num_frames: int = 10
    """Consecutive frames in a window, the discriminator's input."""
    style_weight: float = 6.0
    """Weight of the style reward. It is multiplied by ``step_dt``, so it compares with Isaac Lab's reward weights. 0 is
    plain PPO, bit for bit."""
    task_weight: float = 1.0
    """Weight of the environment's own reward."""
    reward_epsilon: float = 1e-4
    """The style reward is -log(max(1 - D, reward_epsilon)): at most -log(reward_epsilon)."""
    step_dt: float | None = None
    """Time between two frames [s], for environments without ``step_dt``. None: the environment's, else the clips'."""
    resample_motions: bool = False
    """Resample clips whose dt differs from the environment's time step, instead of rejecting them."""
    replay_size: int = 50_000
    """Past policy windows that are kept for training the discriminator; 0 trains on the last rollout only."""
    command_group: str | None = None
    """Observation group with the velocity command, (N, 3). It conditions the discriminator on the command, so that fast
    motion is not rewarded at a slow command. Clips need ``commands``, or a layout from which their mean velocity can be
    read. None: the discriminator does not see the command."""
    saturation_patience: int = 100
    """Warn after this many iterations in which the discriminator was saturated; 0 disables the warning."""
    mirror: MirrorCfg = field(default_factory=MirrorCfg)
    """Left-right mirroring of training windows."""
    discriminator: DiscriminatorCfg = field(default_factory=DiscriminatorCfg)
    """The discriminator and its training."""

    @classmethod
    def from_dict(cls, values: dict[str, Any] | AMPCfg) -> AMPCfg:
        """Build and validate a configuration.

        Raises:
            ConfigError: an unknown key or a value out of range; the message names it.
        """
        cfg = values if isinstance(values, AMPCfg) else _build(cls, values, "amp_cfg")
        cfg.validate()
        return cfg

    def validate(self) -> None:
        """Check every value.

        Raises:
            ConfigError: the message gives the key, the value and what is expected.
        """
        for name, part in _PARTS.items():
            if not isinstance(getattr(self, name), part):
                raise ConfigError(f"amp_cfg.{name} is {getattr(self, name)!r}; expected a {part.__name__}")
        if not isinstance(self.resample_motions, bool):
            raise ConfigError(f"amp_cfg.resample_motions is {self.resample_motions!r}; expected True or False")
        if self.command_group is not None and not isinstance(self.command_group, str):
            raise ConfigError(f"amp_cfg.command_group is {self.command_group!r}; expected the name of an observation group")
        check_int("amp_cfg.num_frames", self.num_frames, 1)
        check_int("amp_cfg.replay_size", self.replay_size, 0)
        check_int("amp_cfg.saturation_patience", self.saturation_patience, 0)
        _check_not_negative("amp_cfg.style_weight", self.style_weight)
        _check_not_negative("amp_cfg.task_weight", self.task_weight)
        _check_number("amp_cfg.reward_epsilon", self.reward_epsilon, "a number in (0, 1)", lambda v: 0 < v < 1)
        if self.step_dt is not None:
            _check_number("amp_cfg.step_dt", self.step_dt, "a number > 0", lambda v: v > 0)
        _validate_discriminator(self.discriminator)
        _validate_mirror(self.mirror)
        self.motion_entries()
        self.spec()

    def spec(self) -> AMPStateSpec | None:
        """Return the layout of the AMP states that :attr:`layout` gives; None without it.

        Raises:
            ConfigError: it is malformed.
        """
        try:
            return None if self.layout is None else AMPStateSpec.from_dict(self.layout)
        except ConfigError as error:
            raise ConfigError(f"amp_cfg.layout: {error}") from None

    def motion_entries(self) -> list[tuple[str, float]]:
        """Return the reference motions as (path, weight) pairs; see :func:`parse_motion_entries`."""
        return parse_motion_entries(self.motions)


_PARTS = {"discriminator": DiscriminatorCfg, "mirror": MirrorCfg}


def parse_motion_entries(motions: Any) -> list[tuple[str, float]]:
    """Return reference motions, in the form of :attr:`AMPCfg.motions`, as (path, weight) pairs.

    Raises:
        ConfigError: there is none, an entry is malformed, or a weight is not a positive number.
    """
    if not motions:
        raise ConfigError(
            "amp_cfg.motions is empty: AMP needs reference motion. Give a clip file or a folder of them, for example "
            '{"motions": "motions/walk.npz"} (on the command line: --motion motions/walk.npz)'
        )
    return [_parse_motion_entry(entry) for entry in (motions if isinstance(motions, (list, tuple)) else [motions])]


def _parse_motion_entry(entry: Any) -> tuple[str, float]:
    if not isinstance(entry, dict):
        entry = {"path": entry}
    unknown = set(entry) - {"path", "weight"}
    if unknown or "path" not in entry:
        raise ConfigError(f"amp_cfg.motions: {entry!r}; expected a path, or a dictionary with 'path' and 'weight'")
    weight = entry.get("weight", 1.0)
    _check_number(f"amp_cfg.motions: the weight of {entry['path']}", weight, "a number > 0", lambda v: v > 0)
    return str(entry["path"]), float(weight)


def _validate_discriminator(cfg: DiscriminatorCfg) -> None:
    prefix = "amp_cfg.discriminator"
    sizes = cfg.hidden_dims if isinstance(cfg.hidden_dims, (list, tuple)) else []
    if not sizes or any(not isinstance(n, int) or n < 1 for n in sizes):
        raise ConfigError(f"{prefix}.hidden_dims is {cfg.hidden_dims!r}; expected layer sizes >= 1")
    if not isinstance(cfg.ignored_features, (list, tuple)):
        raise ConfigError(f"{prefix}.ignored_features is {cfg.ignored_features!r}; expected a list of features")
    try:
        resolve_nn_activation(cfg.activation)
    except (ValueError, AttributeError) as error:
        raise ConfigError(f"{prefix}.activation is {cfg.activation!r}: {error}") from None
    check_int(f"{prefix}.num_updates", cfg.num_updates, 1)
    if cfg.batch_size is not None:
        check_int(f"{prefix}.batch_size", cfg.batch_size, 2)  # half of the policy windows come from the replay
    _check_number(f"{prefix}.learning_rate", cfg.learning_rate, "a number > 0", lambda v: v > 0)
    for name in ("gradient_penalty", "weight_decay", "input_noise"):
        _check_not_negative(f"{prefix}.{name}", getattr(cfg, name))


def _validate_mirror(cfg: MirrorCfg) -> None:
    _check_number("amp_cfg.mirror.probability", cfg.probability, "a number in [0, 1]", lambda v: 0 <= v <= 1)
    for name in ("permutation", "signs"):
        if not isinstance(getattr(cfg, name), (list, tuple)):
            raise ConfigError(f"amp_cfg.mirror.{name} is {getattr(cfg, name)!r}; expected a list of numbers")
    is_whole = all(isinstance(column, Integral) for column in cfg.permutation)
    if not is_whole or sorted(cfg.permutation) != list(range(len(cfg.permutation))):
        raise ConfigError(f"amp_cfg.mirror.permutation is {cfg.permutation!r}; expected every column once")
    if len(cfg.signs) != len(cfg.permutation) or any(sign not in (1, -1) for sign in cfg.signs):
        raise ConfigError(
            f"amp_cfg.mirror.signs is {cfg.signs!r}; expected 1 or -1 for each of {len(cfg.permutation)} columns"
        )
    for column, (partner, sign) in enumerate(zip(cfg.permutation, cfg.signs)):
        if cfg.permutation[partner] != column or cfg.signs[partner] != sign:
            raise ConfigError(
                f"amp_cfg.mirror: column {column} is taken from column {partner}, but not the reverse with the same sign; "
                "expected that mirroring twice changes nothing"
            )


def check_int(name: str, value: Any, minimum: int) -> None:
    """Check an integer setting.

    Raises:
        ConfigError: ``value`` is not a whole number, or is below ``minimum``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{name} is {value!r}; expected a whole number >= {minimum}")


def _check_not_negative(name: str, value: Any) -> None:
    _check_number(name, value, "a number >= 0", lambda v: v >= 0)


def _check_number(name: str, value: Any, expected: str, holds: Callable[[float], bool]) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not holds(value):
        raise ConfigError(f"{name} is {value!r}; expected {expected}")


def _build(cls: type, values: Any, where: str) -> Any:
    """Fill the dataclass ``cls`` from a dictionary, recursing into nested ones."""
    if not isinstance(values, dict):
        raise ConfigError(f"{where} is {values!r}; expected a dictionary")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            hint = suggestion(str(key), fields)
            raise ConfigError(f"{where}: unknown key '{key}'{hint} Known keys: {', '.join(fields)}")
    arguments = dict(values)
    for name, part in _PARTS.items() if cls is AMPCfg else ():
        if not isinstance(arguments.get(name, part()), part):
            arguments[name] = _build(part, arguments[name], f"{where}.{name}")
    return cls(**arguments)
