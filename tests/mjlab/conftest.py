"""A clip for mjlab's Go1. These tests run in mjlab's own environment: make test-mjlab."""

import mjlab.tasks  # noqa: F401
import numpy as np
import pytest
import warp
from mjlab.envs import ManagerBasedRlEnv
from mjlab.rl import RslRlVecEnvWrapper
from mjlab.tasks.registry import load_env_cfg, load_rl_cfg

from amp_runner import AMPStateSpec, Motion, save_motion
from amp_runner.mjlab import with_amp

warp.config.log_level = warp.LOG_ERROR
TASK = "Mjlab-Velocity-Flat-Unitree-Go1"
JOINTS = tuple(f"{leg}_{joint}_joint" for leg in ("FR", "FL", "RR", "RL") for joint in ("hip", "thigh", "calf"))
SPEC = AMPStateSpec(JOINTS)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A Go1 that stands at 0.28 m and treads, at a command of 0.5 m/s."""
    time = np.arange(100)[:, None] * 0.02
    part = {
        "root_height": np.full((100, 1), 0.28),
        "projected_gravity": np.tile([0.0, 0.0, -1.0], (100, 1)),
        "joint_pos": np.tile([0.0, 0.9, -1.8], 4) + 0.1 * np.sin(9 * time),
        "root_lin_vel": np.tile([0.5, 0.0, 0.0], (100, 1)),
        "root_ang_vel": np.zeros((100, 3)),
        "joint_vel": np.tile(0.9 * np.cos(9 * time), (1, 12)),
    }
    states = np.concatenate([part[name] for name in SPEC.layout], axis=1).astype(np.float32)
    path = tmp_path_factory.mktemp("clips") / "tread.npz"
    save_motion(Motion.with_spec(SPEC, str(path), states, np.array([100]), dt=0.02))
    return str(path)


@pytest.fixture(scope="session")
def adapted(clip):
    """Configurations of mjlab's own task with AMP, and the lines that say what was added."""
    env_cfg, agent_cfg = load_env_cfg(TASK), load_rl_cfg(TASK)
    return env_cfg, agent_cfg, with_amp(env_cfg, agent_cfg, clip)


@pytest.fixture(scope="session")
def env(adapted):
    """A running environment of 8 robots, all of which start in states of the clip."""
    env_cfg, agent_cfg, _ = adapted
    env_cfg.scene.num_envs, env_cfg.seed = 8, 0
    env_cfg.events["reset_to_reference"].params["probability"] = 1.0
    env_cfg.events.pop("push_robot")
    wrapped = RslRlVecEnvWrapper(ManagerBasedRlEnv(env_cfg, device="cpu"), clip_actions=agent_cfg.clip_actions)
    yield wrapped
    wrapped.close()


def fresh():
    return load_env_cfg(TASK), load_rl_cfg(TASK)
