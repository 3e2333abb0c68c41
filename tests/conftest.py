"""A toy environment whose AMP states count, and what is needed to train on it."""

from __future__ import annotations

import copy
import importlib.util
import os
import shutil
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from amp_runner import Motion, save_motion

# Processes that tests start would otherwise compile Isaac Lab's thousands of files again each time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["OMP_NUM_THREADS"] = "1"

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("MUJOCO_GL", "egl")  # before MuJoCo is imported by any test

torch.set_num_threads(1)  # the tensors are small; threads that wait for a busy core make the tests several times slower


REPOSITORY = Path(__file__).parents[1]
collect_ignore = [] if importlib.util.find_spec("mjlab") else ["mjlab"]  # it has an environment of its own
ASSETS = REPOSITORY / "ostrich_env" / "robot" / "assets"
FRAME_DIM = 4


class CountingEnv(VecEnv):
    """AMP state = (environment, episode, step in the episode, 1). Episodes of environment i last ``3 + i`` steps."""

    def __init__(self, num_envs: int = 4, tells_final_obs: bool = True) -> None:
        self.num_envs, self.num_actions, self.device, self.cfg = num_envs, 2, "cpu", {}
        self.max_episode_length, self.step_dt = 100, 0.02
        self.tells_final_obs = tells_final_obs
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long)
        self.episode = torch.zeros(num_envs)
        self.length = 3 + torch.arange(num_envs)
        self.unwrapped = self

    def get_observations(self) -> TensorDict:
        step = self.episode_length_buf.float()
        state = torch.stack([torch.arange(self.num_envs).float(), self.episode, step, torch.ones_like(step)], dim=-1)
        return TensorDict({"policy": state / 10, "amp": state}, batch_size=[self.num_envs])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        self.episode_length_buf = self.episode_length_buf + 1
        dones = self.episode_length_buf >= self.length
        extras: dict = {"time_outs": dones & (torch.arange(self.num_envs) % 2 == 0)}
        if self.tells_final_obs:
            extras["final_obs"] = self.get_observations()
        self.episode = self.episode + dones.float()
        self.episode_length_buf = torch.where(dones, 0, self.episode_length_buf)
        return self.get_observations(), -actions.square().sum(dim=-1), dones.long(), extras


TRAIN_CFG = {
    "num_steps_per_env": 8,
    "save_interval": 100,
    "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
    "actor": {
        "class_name": "MLPModel",
        "hidden_dims": [16],
        "activation": "elu",
        "obs_normalization": True,
        "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0},
    },
    "critic": {"class_name": "MLPModel", "hidden_dims": [16], "activation": "elu", "obs_normalization": True},
    "algorithm": {"class_name": "PPO", "num_learning_epochs": 2, "num_mini_batches": 2, "rnd_cfg": None},
}


def train_cfg(amp_cfg: dict | None = None, **algorithm: object) -> dict:
    """RSL-RL's dictionary for the toy; with ``amp_cfg`` for AMP, otherwise for plain PPO."""
    cfg = copy.deepcopy(TRAIN_CFG)
    cfg["algorithm"].update(algorithm)
    if amp_cfg is not None:
        cfg["algorithm"].update(class_name="amp_runner:AMPPPO", amp_cfg=amp_cfg)
    return cfg


def add_extension(cfg: dict, extension: str | None) -> dict:
    """``cfg`` with recurrent models (``gru``, ``lstm``) or random network distillation (``rnd``), or as it is."""
    if extension in ("gru", "lstm"):
        for model in ("actor", "critic"):
            cfg[model] |= {"class_name": "RNNModel", "rnn_type": extension, "rnn_hidden_dim": 8, "rnn_num_layers": 1}
    if extension == "rnd":
        cfg["obs_groups"]["rnd_state"] = ["policy"]
        rnd = {"num_outputs": 2, "predictor_hidden_dims": [8], "target_hidden_dims": [8], "weight": 0.1}
        rnd["weight_schedule"] = {"mode": "linear", "initial_step": 0, "final_step": 40, "final_value": 0.0}
        cfg["algorithm"]["rnd_cfg"] = rnd | {"state_normalization": True, "reward_normalization": True}
    return cfg


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip file of 30 frames in two clips of 10 and 20, with only what the toy needs."""
    states = np.random.default_rng(0).normal(size=(30, FRAME_DIM)).astype(np.float32)
    path = tmp_path / "clip.npz"
    save_motion(Motion(path=str(path), states=states, clip_lengths=np.array([10, 20]), dt=0.02))
    return path


@pytest.fixture
def amp_cfg(clip: Path) -> dict:
    """A small AMP configuration on :func:`clip`."""
    small = {"hidden_dims": [16], "num_updates": 2, "batch_size": 16}
    return {"motions": str(clip), "num_frames": 3, "replay_size": 64, "discriminator": small}


@contextmanager
def stepping(page):
    """Let a page go on in a thread of its own, and stop it."""
    running = threading.Event()
    running.set()

    def go():
        while running.is_set():
            page.step()

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    yield page
    running.clear()
    thread.join()
    page.server.stop()


BROWSER_FLAGS = (
    "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1000,700",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    """A real, headless Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in BROWSER_FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()
