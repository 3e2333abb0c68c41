"""One good file of every format, as data and as bytes, and the library's way of reading it."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from amp_runner import AMPOnPolicyRunner, load_motion
from amp_runner.cli import motion
from amp_runner.cli.overrides import preset_overrides
from amp_runner.deploy import DeployedPolicy
from amp_runner.deploy.mujoco_robot import MujocoRobot
from amp_runner.errors import AMPError
from amp_runner.motions.robot_model import RobotModel
from tests.amp_runner.motions import test_convert, test_convert_formats
from tests.amp_runner.motions.test_convert import NAMES
from tests.amp_runner.motions.test_robot_file import NAMES as URDF_NAMES
from tests.amp_runner.motions.test_robot_file import two_legs
from tests.conftest import ASSETS, REPOSITORY, CountingEnv, train_cfg

_CONVERT = ("--joint_names", ",".join(NAMES), "--fps", "50")


@dataclass(frozen=True)
class Format:
    """A kind of file that the library reads."""

    suffix: str
    write: Callable[[Path], object]
    """Write a good file."""
    read: Callable[[Path], object]
    """Let the library read a file; whatever it raises beyond its own errors is a fault."""
    load: Callable[[Path], Any] | None = None
    """Read a good file as plain data, for changes of its contents."""
    dump: Callable[[Any, Path], object] | None = None
    """Write changed data."""


def _run(*arguments: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        status = motion.main(list(arguments))
    if status == 2:
        raise AMPError("refused")


def _convert(path: Path, *arguments: str) -> None:
    out = path.with_name("converted.npz")
    out.unlink(missing_ok=True)
    _run("convert", str(path), "-o", str(out), *arguments)
    if out.exists():
        load_motion(out)  # what was written must be accepted


def _write_clip(path: Path) -> None:
    clip = load_motion(REPOSITORY / "motions" / "walk.npz")
    np.savez(
        path,
        amp_states=clip.states[:60],
        clip_lengths=[30, 30],
        dt=clip.dt,
        joint_names=clip.joint_names,
        layout=clip.layout,
        velocity_frame="heading",
        commands=np.zeros((60, 3)),
        source="test",
    )


def _read_clip(path: Path) -> None:
    _run("info", str(path))
    _run("check", str(path))


@lru_cache
def _runner(folder: str) -> AMPOnPolicyRunner:
    path = Path(folder) / "reference.npz"
    np.savez(path, amp_states=np.random.default_rng(0).normal(size=(30, 4)), dt=0.02)
    small = {"hidden_dims": [8], "num_updates": 1, "batch_size": 8}
    amp_cfg = {"motions": str(path), "num_frames": 3, "replay_size": 16, "discriminator": small}
    return AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg))


def _write_checkpoint(path: Path) -> None:
    _runner(str(path.parent)).save(str(path))


def _read_checkpoint(path: Path) -> None:
    _runner(str(path.parent)).load(str(path))


def _read_description(path: Path) -> None:
    exported = REPOSITORY / "policies" / "exported"
    for name in ("policy.onnx", "ostrich.xml"):
        if not (path.parent / name).exists():
            shutil.copy(exported / name, path.parent / name)
    shutil.copy(path, path.parent / "policy.json")
    policy = DeployedPolicy(path.parent)
    robot = MujocoRobot(policy.description, policy.description.model_path(path.parent))
    robot.reset()
    robot.feet()
    signals = {name: np.zeros(6 if name.startswith("joint") else 3) for name in policy.description.signals}
    targets = policy(signals)
    assert np.isfinite(targets).all(), "an export that was loaded gives finite targets"


def _read_robot(path: Path) -> None:
    clip = path.with_name("clip.npz")
    if not clip.exists():
        _write_clip(clip)
    _run("check", str(clip), "--robot", str(path))


def _load_json(path: Path) -> Any:
    return json.loads(path.read_text())


def _dump_json(data: Any, path: Path) -> None:
    path.write_text(json.dumps(data))


def _load_pickle(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # the script's own file


def _dump_pickle(data: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(data))


def _load_npz(path: Path) -> Any:
    with np.load(path) as arrays:
        return dict(arrays)


def _dump_npz(data: Any, path: Path) -> None:
    np.savez(path, **{str(name).replace("/", "_"): np.asarray(value) for name, value in data.items()})


def _load_npy(path: Path) -> Any:
    return np.load(path, allow_pickle=True).tolist()


def _dump_npy(data: Any, path: Path) -> None:
    np.save(path, np.asarray(data, dtype=object) if isinstance(data, dict) else np.asarray(data), allow_pickle=True)


def _load_torch(path: Path) -> Any:
    return torch.load(path, weights_only=False)  # the script's own file


def _dump_torch(data: Any, path: Path) -> None:
    torch.save(data, path)


def _load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def _dump_yaml(data: Any, path: Path) -> None:
    path.write_text(yaml.safe_dump(data))


def _foreign(suffix: str, write: Callable[[Path], object], load: Any = None, dump: Any = None, *options: str) -> Format:
    return Format(suffix, write, lambda path: _convert(path, *_CONVERT, *options), load, dump)


def _write_joint_map(path: Path) -> None:
    test_convert.write_poses(path.with_name("poses.npz"))
    path.write_text("hip: left_hip\nknee: {from: left_knee, sign: -1, offset: 0.1}\n")


def _read_joint_map(path: Path) -> None:
    out = path.with_name("converted.npz")
    _run("convert", str(path.with_name("poses.npz")), "-o", str(out), "--joint_map", str(path), "--joints", "hip,knee")


FORMATS: dict[str, Format] = {
    "clip": Format(".npz", _write_clip, _read_clip, _load_npz, _dump_npz),
    "poses": _foreign(".npz", test_convert.write_poses, _load_npz, _dump_npz),
    "isaaclab": _foreign(".npz", test_convert.write_isaaclab, _load_npz, _dump_npz, "--root_body", "pelvis"),
    "tracking": _foreign(".npz", test_convert.write_tracking, _load_npz, _dump_npz),
    "csv": _foreign(".csv", test_convert.write_csv),
    "amp-rsl-rl": _foreign(".npy", test_convert.write_amp_rsl_rl, _load_npy, _dump_npy),
    "legged-gym": _foreign(".txt", test_convert.write_legged_gym, _load_json, _dump_json),
    "gmr": _foreign(".pkl", test_convert_formats.write_gmr, _load_pickle, _dump_pickle),
    "mimickit": _foreign(".pkl", test_convert_formats.write_mimickit, _load_pickle, _dump_pickle),
    "tienkung": _foreign(".txt", test_convert_formats.write_tienkung, _load_json, _dump_json),
    "protomotions": _foreign(".motion", test_convert_formats.write_motion, _load_torch, _dump_torch),
    "skeleton": Format(".npy", test_convert_formats.TestSkeletonMotion().write, _convert, _load_npy, _dump_npy),
    "preset": Format(
        ".yaml",
        lambda path: shutil.copy(REPOSITORY / "configs" / "walk_run.yaml", path),
        lambda path: preset_overrides([str(path)]),
        _load_yaml,
        _dump_yaml,
    ),
    "joint map": Format(".yaml", _write_joint_map, _read_joint_map, _load_yaml, _dump_yaml),
    "export": Format(
        ".json",
        lambda path: shutil.copy(REPOSITORY / "policies" / "exported" / "policy.json", path),
        _read_description,
        _load_json,
        _dump_json,
    ),
    "checkpoint": Format(".pt", _write_checkpoint, _read_checkpoint, _load_torch, _dump_torch),
    "mjcf": Format(".xml", lambda path: shutil.copy(ASSETS / "ostrich.xml", path), _read_robot),
    "urdf": Format(".urdf", lambda path: path.write_text(two_legs()), lambda path: RobotModel(path, URDF_NAMES)),
}
