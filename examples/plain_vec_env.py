#!/usr/bin/env python3
"""AMP on a plain RSL-RL environment, without a simulator: points learn to move like a reference. Takes less than a minute.

    python examples/plain_vec_env.py [--style_weight 0]

The task rewards a speed along x. The reference moves at that speed, and sways along y like a sine. With AMP the points
learn to sway like it; with a style weight of 0, which is plain PPO, they do not.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

from amp_runner import AMPOnPolicyRunner, Motion, save_motion

DT, LAG, SPEED, SWAY = 0.05, 0.2, 1.0, 1.5  # [s], [s], [m/s], [m/s]
STATE = ("vx", "vy")


class Points(VecEnv):
    """Points in the plane that follow commanded velocities with a lag. AMP state: the velocity, (N, 2) [m/s]."""

    num_actions, max_episode_length, step_dt = 2, 100, DT
    device, cfg = "cpu", {}

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long)
        self.velocity = torch.zeros(num_envs, 2)
        self.phase = torch.zeros(num_envs)

    def get_observations(self) -> TensorDict:
        """Return what the policy sees, and the group ``amp`` for the discriminator."""
        clock = torch.stack([self.phase.sin(), self.phase.cos()], dim=-1)
        policy = torch.cat([self.velocity, clock], dim=-1)
        return TensorDict({"policy": policy, "amp": self.velocity.clone()}, batch_size=[self.num_envs])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        """Advance by one time step; an episode ends after 100."""
        self.velocity += DT / LAG * (actions.clamp(-2, 2) - self.velocity)
        self.phase += 2 * math.pi * DT
        self.episode_length_buf += 1
        rewards = DT * torch.exp(-4 * (self.velocity[:, 0] - SPEED).square())
        dones = self.episode_length_buf >= self.max_episode_length
        extras = {"time_outs": dones, "final_obs": self.get_observations()}  # the last state of episodes that end
        self.velocity[dones], self.episode_length_buf[dones] = 0.0, 0
        self.phase[dones] = 2 * math.pi * torch.rand(int(dones.sum()))
        return self.get_observations(), rewards, dones.long(), extras


def write_reference(path: Path) -> None:
    """Write the reference motion: 20 s of constant speed along x and a sine along y, at 1 Hz."""
    time = np.arange(400) * DT
    states = np.stack([np.full_like(time, SPEED), SWAY * np.sin(2 * math.pi * time)], axis=1)
    save_motion(Motion(path=str(path), states=states.astype(np.float32), clip_lengths=np.array([len(time)]), dt=DT))


def train_cfg(motion: Path, style_weight: float) -> dict:
    """RSL-RL's configuration, with AMP."""
    model = {"class_name": "MLPModel", "hidden_dims": [64, 64], "activation": "elu"}
    noise = {"class_name": "GaussianDistribution", "init_std": 1.0}
    amp_cfg = {"motions": str(motion), "style_weight": style_weight, "num_frames": 4, "discriminator": {"num_updates": 5}}
    return {
        "num_steps_per_env": 24,
        "save_interval": 1000,
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "actor": {**model, "distribution_cfg": noise},
        "critic": model,
        "algorithm": {
            "class_name": "amp_runner:AMPPPO",
            "learning_rate": 1e-3,
            "entropy_coef": 0.003,
            "num_learning_epochs": 3,
            "amp_cfg": amp_cfg,
        },
    }


def sway(env: Points, runner: AMPOnPolicyRunner) -> float:
    """Return the root mean square of vy over four seconds of the trained policy [m/s]."""
    policy, obs, values = runner.get_inference_policy(), env.get_observations(), []
    with torch.inference_mode():
        for _ in range(80):
            obs, *_ = env.step(policy(obs))
            values.append(env.velocity[:, 1].clone())
    return float(torch.stack(values[20:]).square().mean().sqrt())


def main(argv: list[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=150, help="training iterations (default: %(default)s)")
    parser.add_argument("--style_weight", type=float, default=10.0, help="0 is plain PPO (default: %(default)s)")
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        write_reference(Path(folder) / "sine.npz")
        env = Points(num_envs=64)
        runner = AMPOnPolicyRunner(env, train_cfg(Path(folder) / "sine.npz", args.style_weight))
        result = {"reference": SWAY / math.sqrt(2), "before": sway(env, runner)}
        runner.learn(args.iterations, init_at_random_ep_len=True)
        result["after"] = sway(env, runner)
    for name, value in result.items():
        print(f"{name:10s} sway {value:.2f} m/s")
    return result


if __name__ == "__main__":
    main()
