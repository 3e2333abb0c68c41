#!/usr/bin/env python3
"""Time AMP's learning step beside plain PPO's, on random rollouts without a simulator.

python benchmarks/learning_step.py [--num_envs 256 4096] [--device cpu] [--motion motions/walk.npz]
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from contextlib import redirect_stdout

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

OBSERVATIONS, ACTIONS, FRAME = 135, 6, 22
CFG = {
    "num_steps_per_env": 24,
    "save_interval": 1000,
    "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
    "actor": {
        "class_name": "MLPModel",
        "hidden_dims": [256, 128, 64],
        "activation": "elu",
        "obs_normalization": True,
        "distribution_cfg": {"class_name": "GaussianDistribution", "init_std": 1.0},
    },
    "critic": {"class_name": "MLPModel", "hidden_dims": [256, 128, 64], "activation": "elu", "obs_normalization": True},
    "algorithm": {"class_name": "PPO", "num_learning_epochs": 5, "num_mini_batches": 4, "rnd_cfg": None},
}


class NoiseEnv(VecEnv):
    """Observations, AMP states and rewards are noise; an episode ends by chance."""

    def __init__(self, num_envs: int, device: str) -> None:
        self.num_envs, self.num_actions, self.device, self.cfg = num_envs, ACTIONS, device, {}
        self.max_episode_length, self.step_dt = 1000, 0.02
        self.episode_length_buf = torch.zeros(num_envs, dtype=torch.long, device=device)

    def get_observations(self) -> TensorDict:
        sizes = {"policy": OBSERVATIONS, "amp": FRAME}
        groups = {name: torch.randn(self.num_envs, size, device=self.device) for name, size in sizes.items()}
        return TensorDict(groups, batch_size=[self.num_envs])

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        dones = torch.rand(self.num_envs, device=self.device) < 0.001
        rewards = torch.randn(self.num_envs, device=self.device)
        return self.get_observations(), rewards, dones.long(), {"final_obs": self.get_observations()}


def learning_time(num_envs: int, device: str, amp_cfg: dict | None, iterations: int) -> float:
    """Median time of returns and update together, after a warm-up [s]."""
    cfg = copy.deepcopy(CFG)
    if amp_cfg is not None:
        cfg["algorithm"].update(class_name="amp_runner:AMPPPO", amp_cfg=amp_cfg)
    with open(os.devnull, "w") as null, redirect_stdout(null):
        runner = OnPolicyRunner(NoiseEnv(num_envs, device), cfg, log_dir=None, device=device)
    seconds: list[float] = []
    compute_returns, update = runner.alg.compute_returns, runner.alg.update

    def synchronised() -> float:
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter()

    def timed_returns(obs: TensorDict) -> None:
        seconds.append(-synchronised())
        compute_returns(obs)

    def timed_update() -> dict[str, float]:
        losses = update()
        seconds[-1] += synchronised()
        return losses

    runner.alg.compute_returns, runner.alg.update = timed_returns, timed_update
    runner.learn(iterations + 2)
    return statistics.median(seconds[2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num_envs", type=int, nargs="+", default=[256, 4096])
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--motion", default="motions/walk.npz", help="clip with 22 numbers a frame")
    parser.add_argument("--iterations", type=int, default=10)
    args = parser.parse_args()
    print(f"{'environments':>12} {'PPO [s]':>9} {'AMP [s]':>9} {'ratio':>6}   on {args.device}")
    for num_envs in args.num_envs:
        times = [learning_time(num_envs, args.device, cfg, args.iterations) for cfg in (None, {"motions": args.motion})]
        print(f"{num_envs:>12} {times[0]:>9.3f} {times[1]:>9.3f} {times[1] / times[0]:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
