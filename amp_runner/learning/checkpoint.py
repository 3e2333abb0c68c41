"""Reading and writing checkpoint files."""

from __future__ import annotations

import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amp_runner.atomic_io import atomic_write
from amp_runner.errors import CheckpointError


def write_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all."""
    with atomic_write(path) as stream:
        torch.save(state, stream)


def read_checkpoint(path: str | Path, device: str | torch.device) -> dict[str, Any]:
    """Read a checkpoint without executing anything in it.

    Raises:
        CheckpointError: the file is missing, damaged, holds more than plain data, or is not a checkpoint.
    """
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; expected a checkpoint such as model_100.pt") from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: is a folder; expected a checkpoint in it, such as model_100.pt") from None
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or it holds objects that only running code could restore, which is never done "
            f"({str(error).splitlines()[0]})"
        ) from None
    except Exception as error:  # torch raises many kinds on damaged data
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: damaged or no checkpoint ({reason})") from None
    if not isinstance(state, dict) or "actor_state_dict" not in state:
        raise CheckpointError(f"{path}: holds no actor; expected a checkpoint that a runner of RSL-RL 5 saved")
    return state


def is_loaded(part: str, load_cfg: dict[str, bool] | None) -> bool:
    """Whether RSL-RL's ``load_cfg`` loads a part; None loads all, and ``amp`` is loaded if nothing is said of it."""
    return load_cfg is None or bool(load_cfg.get(part, part == "amp"))


def check_resumable(path: str | Path, state: dict[str, Any], with_rnd: bool = False) -> None:
    """Check that a training, perhaps ``with_rnd``, can go on where this checkpoint was written.

    Raises:
        CheckpointError: it holds networks only, or no random network distillation.
    """
    if "optimizer_state_dict" not in state:
        raise CheckpointError(
            f"{path}: holds networks without their optimizers, so there is no training to go on with; to begin another one "
            "from them, add --no-resume_optimizer_state (a load_cfg without 'optimizer')"
        )
    if with_rnd and "rnd_state_dict" not in state:
        raise CheckpointError(
            f"{path}: was trained without random network distillation, which this run has; to begin it fresh, load the rest "
            "with a load_cfg without 'rnd'"
        )


def check_count(name: str, value: Any) -> int:
    """Check something that a checkpoint counts.

    Raises:
        ValueError: it is no whole number of 0 or more.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"{name} is {value!r}; expected a whole number >= 0")
    return value


def check_tensor(name: str, value: Any, like: torch.Tensor) -> torch.Tensor:
    """Check a tensor of a checkpoint, whose shape is the caller's to check; return it on the device of ``like``.

    Raises:
        ValueError: it is not stored as ``like`` is, or of another type of numbers.
    """
    if not isinstance(value, torch.Tensor) or value.dtype != like.dtype or value.layout != like.layout:
        found = (value.dtype, value.layout) if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(f"{name} is {found}; expected {like.dtype}, {like.layout}")
    return value.to(like.device)


def random_state() -> dict[str, Any]:
    """The state of every global random generator: Python's, NumPy's, PyTorch's."""
    version, numbers, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        "python": (version, list(numbers), gauss),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what :func:`random_state` returned; generators of GPUs that are not there are left out."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"].cpu())
    for device, generator in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(generator.cpu(), device)
