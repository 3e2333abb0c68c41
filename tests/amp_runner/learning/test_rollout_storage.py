"""Windows and terminal states on an environment whose states count steps."""

import pytest
import torch
from rsl_rl.runners import OnPolicyRunner

from tests.conftest import CountingEnv, train_cfg

ENVIRONMENT, EPISODE, STEP = 0, 1, 2


def collect(amp_cfg, num_frames, iterations=3, **env_kwargs):
    """Run a few iterations; returns the windows and their marks of every rollout."""
    env = CountingEnv(**env_kwargs)
    cfg = train_cfg({**amp_cfg, "num_frames": num_frames})
    runner = OnPolicyRunner(env, cfg, log_dir=None, device="cpu")
    rollouts = []
    compute_returns = runner.alg.compute_returns

    def spy(obs):
        rollouts.append([tensor.clone() for tensor in runner.alg.amp_storage.windows()])
        compute_returns(obs)

    runner.alg.compute_returns = spy
    runner.learn(iterations)
    return env, rollouts


@pytest.mark.parametrize("num_frames", [1, 2, 3, 4])
def test_real_windows_are_consecutive_steps_of_one_episode(amp_cfg, num_frames):
    _, rollouts = collect(amp_cfg, num_frames)
    for windows, valid in rollouts:
        assert windows.shape == (8, 4, num_frames, 4)
        real = windows[valid]
        assert (real[..., ENVIRONMENT].diff(dim=1) == 0).all()
        assert (real[..., EPISODE].diff(dim=1) == 0).all()
        assert (real[..., STEP].diff(dim=1) == 1).all()


@pytest.mark.parametrize("num_frames", [1, 2, 3, 4])
def test_a_window_valid_as_soon_as_the_episode_is_long_enough(amp_cfg, num_frames):
    env, rollouts = collect(amp_cfg, num_frames)
    valid = torch.cat([r[1] for r in rollouts])  # (24, 4): rollouts are continuous, so windows reach across them
    for i, length in enumerate(env.length.tolist()):
        step_in_episode = torch.arange(24) % length  # of the state before the step
        expected = step_in_episode + 2 >= num_frames
        assert torch.equal(valid[:, i], expected), f"environment {i}"


def test_the_last_window_of_an_episode_ends_with_its_terminal_state(amp_cfg):
    env, rollouts = collect(amp_cfg, num_frames=2)
    windows = torch.cat([r[0] for r in rollouts])
    for i, length in enumerate(env.length.tolist()):
        ends = windows[length - 1 :: length, i]
        assert (ends[:, -1, STEP] == length).all(), "the step count reaches the episode's length only in final_obs"


def test_without_final_obs_the_terminal_window_is_left_out(amp_cfg):
    env, rollouts = collect(amp_cfg, num_frames=2, tells_final_obs=False)
    windows, valid = (torch.cat(parts) for parts in zip(*rollouts))
    for i, length in enumerate(env.length.tolist()):
        ends = torch.arange(24) % length == length - 1
        assert torch.equal(valid[:, i], ~ends)
    assert (windows[valid][..., STEP].diff(dim=1) == 1).all()


def test_a_reset_between_two_rollouts_is_noticed(amp_cfg):
    env = CountingEnv()
    env.length[:] = 1000
    runner = OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None, device="cpu")
    runner.learn(1)
    env.episode = env.episode + 1
    env.episode_length_buf = torch.zeros(4, dtype=torch.long)
    seen = []
    compute_returns = runner.alg.compute_returns
    runner.alg.compute_returns = lambda obs: (seen.append(runner.alg.amp_storage.windows()[1].clone()), compute_returns(obs))
    runner.learn(1)
    assert seen[0][:, 0].tolist() == [False] + [True] * 7
