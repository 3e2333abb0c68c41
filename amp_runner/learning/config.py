"""Configuration of AMP: what ``train_cfg["algorithm"]["amp_cfg"]`` may hold. Validated once, here."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from amp_runner.errors import ConfigError

PENALTY_SIDES = ("expert", "policy", "both")


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
    """Weight of the mean squared norm of the logit's gradient with respect to the normalised expert input. Strong
    penalties (5 is usual elsewhere) flatten the style reward until it no longer changes the gait."""
    penalty_on: str = "expert"
    """Whose inputs the gradient penalty is taken at: ``expert``, ``policy`` or ``both`` (their mean)."""
    weight_decay: float = 1e-3
    """Weight decay of the optimizer."""
    logit_regularization: float = 0.0
    """Weight of the sum of the squared weights of the last layer (Peng et al. 2021)."""
    input_noise: float = 0.4
    """Standard deviation of the noise on the normalised input while training, in standard deviations of each feature."""
    num_updates: int = 20
    """Gradient steps an update."""
    update_interval: int = 1
    """Iterations from one update to the next; the first iteration always has one."""
    batch_size: int | None = None
    """Windows of each side in one step. None: one twelfth of the rollout, at most 8,192, so that the cost follows the
    number of environments."""


@dataclass
class MirrorCfg:
    """How a frame looks in a mirror: column i of the mirrored frame is ``signs[i]`` times column ``permutation[i]``.

    :meth:`amp_runner.AMPStateSpec.mirror` makes both from the joints' names.
    """

    permutation: list[int] = field(default_factory=list)
    """Which column each column of the mirrored frame is taken from; empty: the robot is not symmetric."""
    signs: list[float] = field(default_factory=list)
    """Sign of each column of the mirrored frame, 1 or -1."""
    probability: float = 0.5
    """How likely a window, of either side, is mirrored before the discriminator is trained on it."""


@dataclass
class AMPCfg:
    """Adversarial motion priors on top of PPO. The defaults are what works on the ostrich, but for what depends on the robot
    and its rewards: there ``style_weight`` is 13, and windows are mirrored."""

    motions: Any = None
    """Reference motions: a path, or a list of paths or of ``{"path": ..., "weight": ...}``. A path is a clip file (.npz)
    or a folder of them. Weights are relative; within one entry every window is equally likely. Required."""
    num_frames: int = 10
    """Consecutive frames in a window, the discriminator's input."""
    style_weight: float = 6.0
    """Weight of the style reward. It is multiplied by ``step_dt``, so it compares with Isaac Lab's reward weights."""
    task_weight: float = 1.0
    """Weight of the environment's own reward."""
    style_warmup: int = 0
    """Iterations over which the style reward's weight grows from zero, linearly."""
    reward_epsilon: float = 1e-4
    """The style reward is -log(max(1 - D, reward_epsilon)): at most -log(reward_epsilon)."""
    step_dt: float | None = None
    """Time between two frames [s], where the environment does not tell; the weight of the style reward follows it. None: the
    environment's, else the clips'."""
    resample_motions: bool = False
    """Whether clips with another dt than the environment's are resampled. They are refused otherwise."""
    replay_size: int = 50_000
    """Past policy windows that are kept for training the discriminator; 0 trains on the last rollout only."""
    command_group: str | None = None
    """Observation group with the command, (N, C): the discriminator then judges motion for what was commanded, and a fast
    clip is no excuse on a slow command. Clips need ``commands`` of the same size, or a layout to read their mean velocity
    from. None: the discriminator does not know the command."""
    saturation_patience: int = 100
    """Iterations without any change of the style reward, both sides told apart almost always, after which a warning says
    what to change; 0 never warns."""
    mirror: MirrorCfg = field(default_factory=MirrorCfg)
    """Left-right mirroring of windows."""
    discriminator: DiscriminatorCfg = field(default_factory=DiscriminatorCfg)
    """The discriminator and its training."""

    @classmethod
    def from_dict(cls, values: dict[str, Any] | AMPCfg) -> AMPCfg:
        """Build and validate a configuration.

        Raises:
            ConfigError: for an unknown key or a value out of its range, naming the key.
        """
        cfg = values if isinstance(values, AMPCfg) else _build(cls, values, "amp_cfg")
        cfg.validate()
        return cfg

    def validate(self) -> None:
        """Check every value once.

        Raises:
            ConfigError: naming the key, the value and what was expected.
        """
        d = self.discriminator
        for name, part in _PARTS.items():
            if not isinstance(getattr(self, name), part):
                raise ConfigError(f"amp_cfg.{name} is {getattr(self, name)!r}; expected a {part.__name__}")
        if not isinstance(self.resample_motions, bool):
            raise ConfigError(f"amp_cfg.resample_motions is {self.resample_motions!r}; expected True or False")
        check_int("amp_cfg.num_frames", self.num_frames, 1)
        check_int("amp_cfg.replay_size", self.replay_size, 0)
        check_int("amp_cfg.style_warmup", self.style_warmup, 0)
        check_int("amp_cfg.saturation_patience", self.saturation_patience, 0)
        check_int("amp_cfg.discriminator.num_updates", d.num_updates, 1)
        check_int("amp_cfg.discriminator.update_interval", d.update_interval, 1)
        if self.command_group is not None and not isinstance(self.command_group, str):
            raise ConfigError(f"amp_cfg.command_group is {self.command_group!r}; expected a group of observations")
        if d.batch_size is not None:
            check_int("amp_cfg.discriminator.batch_size", d.batch_size, 2)  # one half is the rollout's, one the replay's
        for name, value in (
            ("amp_cfg.style_weight", self.style_weight),
            ("amp_cfg.task_weight", self.task_weight),
            ("amp_cfg.discriminator.gradient_penalty", d.gradient_penalty),
            ("amp_cfg.discriminator.weight_decay", d.weight_decay),
            ("amp_cfg.discriminator.input_noise", d.input_noise),
            ("amp_cfg.discriminator.logit_regularization", d.logit_regularization),
        ):
            _check_number(name, value, "a number >= 0", lambda v: v >= 0)
        positive = [("amp_cfg.discriminator.learning_rate", d.learning_rate)]
        if self.step_dt is not None:
            positive.append(("amp_cfg.step_dt", self.step_dt))
        for name, value in positive:
            _check_number(name, value, "a number > 0", lambda v: v > 0)
        _check_number("amp_cfg.reward_epsilon", self.reward_epsilon, "a number in (0, 1)", lambda v: 0 < v < 1)
        self._validate_discriminator()
        self._validate_mirror()
        self.motion_entries()

    def _validate_discriminator(self) -> None:
        d = self.discriminator
        if d.penalty_on not in PENALTY_SIDES:
            raise ConfigError(
                f"amp_cfg.discriminator.penalty_on is {d.penalty_on!r}; expected one of {', '.join(PENALTY_SIDES)}"
            )
        sizes = d.hidden_dims if isinstance(d.hidden_dims, (list, tuple)) else []
        if not sizes or any(not isinstance(n, int) or n < 1 for n in sizes):
            raise ConfigError(f"amp_cfg.discriminator.hidden_dims is {d.hidden_dims!r}; expected layer sizes >= 1")
        from rsl_rl.utils import resolve_nn_activation  # seconds, which who only mirrors a clip need not wait

        try:
            resolve_nn_activation(d.activation)
        except (ValueError, AttributeError) as error:
            raise ConfigError(f"amp_cfg.discriminator.activation is {d.activation!r}: {error}") from None

    def _validate_mirror(self) -> None:
        mirror = self.mirror
        _check_number("amp_cfg.mirror.probability", mirror.probability, "a number in [0, 1]", lambda v: 0 <= v <= 1)
        for name in ("permutation", "signs"):
            if not isinstance(getattr(mirror, name), (list, tuple)):
                raise ConfigError(f"amp_cfg.mirror.{name} is {getattr(mirror, name)!r}; expected a list of numbers")
        whole = all(isinstance(column, Integral) for column in mirror.permutation)
        if not whole or sorted(mirror.permutation) != list(range(len(mirror.permutation))):
            raise ConfigError(f"amp_cfg.mirror.permutation is {mirror.permutation!r}; expected every column once")
        if len(mirror.signs) != len(mirror.permutation) or any(sign not in (1, -1) for sign in mirror.signs):
            raise ConfigError(
                f"amp_cfg.mirror.signs is {mirror.signs!r}; expected 1 or -1 for each of {len(mirror.permutation)} columns"
            )
        for column, (partner, sign) in enumerate(zip(mirror.permutation, mirror.signs)):
            if mirror.permutation[partner] != column or mirror.signs[partner] != sign:
                raise ConfigError(
                    f"amp_cfg.mirror: column {column} is taken from {partner}, which does not come back with the same sign; "
                    "expected that mirroring twice changes nothing"
                )

    def motion_entries(self) -> list[tuple[str, float]]:
        """The reference motions as (path, weight) pairs.

        Raises:
            ConfigError: if there is none, or an entry is malformed, or a weight is not a positive number.
        """
        if not self.motions:
            raise ConfigError(
                "amp_cfg.motions is empty: AMP needs reference motion. Give a clip file or a folder of them, for example "
                '{"motions": "motions/walk.npz"} (on the command line: --motion motions/walk.npz)'
            )
        entries = self.motions if isinstance(self.motions, (list, tuple)) else [self.motions]
        return [_motion_entry(entry) for entry in entries]


_PARTS = {"discriminator": DiscriminatorCfg, "mirror": MirrorCfg}


def _motion_entry(entry: Any) -> tuple[str, float]:
    if not isinstance(entry, dict):
        entry = {"path": entry}
    unknown = set(entry) - {"path", "weight"}
    if unknown or "path" not in entry:
        raise ConfigError(f"amp_cfg.motions: {entry!r}; expected a path, or a dictionary with 'path' and 'weight'")
    weight = entry.get("weight", 1.0)
    _check_number(f"amp_cfg.motions: the weight of {entry['path']}", weight, "a number > 0", lambda v: v > 0)
    return str(entry["path"]), float(weight)


def check_int(name: str, value: Any, minimum: int) -> None:
    """Check a setting that counts something.

    Raises:
        ConfigError: ``value`` is no whole number, or below ``minimum``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{name} is {value!r}; expected a whole number >= {minimum}")


def _check_number(name: str, value: Any, expected: str, holds: Any) -> None:
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
            close = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise ConfigError(f"{where}: unknown key '{key}'{hint} Known keys: {', '.join(fields)}")
    arguments = dict(values)
    for name, part in _PARTS.items() if cls is AMPCfg else ():
        if not isinstance(arguments.get(name, part()), part):
            arguments[name] = _build(part, arguments[name], f"{where}.{name}")
    return cls(**arguments)
