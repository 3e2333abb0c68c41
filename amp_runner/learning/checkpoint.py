"""Reading and writing checkpoint files."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from amp_runner.errors import CheckpointError
from amp_runner.files import atomic_write, check_file


def write_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write a checkpoint atomically."""
    with atomic_write(path) as stream:
        torch.save(state, stream)


def read_checkpoint(path: str | Path, device: str | torch.device) -> dict[str, Any]:
    """Read a checkpoint without executing anything in it.

    Raises:
        CheckpointError: the file is missing, damaged, holds more than plain data, or is not a checkpoint.
    """
    try:
        check_file(path)
        _check_archive(path)
        state = torch.load(path, weights_only=True, map_location=device)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file; expected a checkpoint such as model_100.pt") from None
    except IsADirectoryError:
        raise CheckpointError(f"{path}: is a folder; expected a checkpoint in it, such as model_100.pt") from None
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or it holds objects that only executing code can restore, which is never done "
            f"({str(error).splitlines()[0]})"
        ) from None
    except Exception as error:  # torch raises many types on damaged data
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: damaged, or not a checkpoint ({reason})") from None
    if not isinstance(state, dict) or "actor_state_dict" not in state:
        raise CheckpointError(f"{path}: holds no actor; expected a checkpoint saved by a runner of RSL-RL 5")
    return state


def _check_archive(path: str | Path) -> None:
    """Check that an archive holds no compressed members, which torch.save never writes: small files could expand to much.

    Raises:
        ValueError: it does.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > Path(path).stat().st_size:
            raise ValueError(f"unpacks to {unpacked / 2**20:.0f} MiB, but torch.save does not compress")


def check_finite(path: str | Path, state: dict[str, Any]) -> None:
    """Check that the networks and optimizer states of a checkpoint are finite.

    Raises:
        CheckpointError: a tensor holds NaN or infinite values; the message names it.
    """
    for name, tensor in _tensors(state, ""):
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: '{name}' holds NaN or infinite values: the training had diverged")


def _tensors(value: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, (dict, list, tuple)):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _tensors(entry, f"{name}.{key}" if name else str(key))


def is_loaded(part: str, load_cfg: dict[str, bool] | None) -> bool:
    """Whether RSL-RL's ``load_cfg`` loads a part. None loads all, and ``amp`` is loaded unless it is excluded."""
    return load_cfg is None or bool(load_cfg.get(part, part == "amp"))


def check_resumable(path: str | Path, state: dict[str, Any], with_rnd: bool = False) -> None:
    """Check that a training, perhaps ``with_rnd``, can be resumed from a checkpoint.

    Raises:
        CheckpointError: the optimizer states, or those of random network distillation, are missing.
    """
    if "optimizer_state_dict" not in state:
        raise CheckpointError(
            f"{path}: holds networks without optimizer states, so training cannot be resumed; to start a new training from "
            "them, add --no-resume_optimizer_state (a load_cfg without 'optimizer')"
        )
    if with_rnd and "rnd_state_dict" not in state:
        raise CheckpointError(
            f"{path}: was trained without random network distillation, which this run uses; to initialise it anew, load the "
            "rest with a load_cfg without 'rnd'"
        )


def random_state() -> dict[str, Any]:
    """Return the state of PyTorch's global random generators, on the CPU and on all GPUs."""
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Restore :func:`random_state`; generators of GPUs that this machine lacks are ignored."""
    torch.set_rng_state(state["torch"].cpu())
    for device, generator in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(generator.cpu(), device)
