"""Environments that return numbers which no training survives."""

from types import SimpleNamespace

import pytest
import torch

from amp_runner import AMPOnPolicyRunner, EnvError
from tests.conftest import CountingEnv, train_cfg


class FaultyEnv(CountingEnv):
    """After ``step`` steps, the reward or an observation of environments 2 and 3 is wrong."""

    def __init__(self, where: str, number: float, step: int) -> None:
        super().__init__()
        self.where, self.number, self.left = where, number, step

    def step(self, actions):
        obs, rewards, dones, extras = super().step(actions)
        self.left -= 1
        if self.left == 0:
            if self.where == "reward":
                rewards[2:] = self.number
            else:
                obs[self.where][2:, 1] = self.number
        return obs, rewards, dones, extras


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf, 1e30])
@pytest.mark.parametrize(("where", "place"), [("reward", "reward"), ("policy", "observation group 'policy', column 1")])
def test_the_training_stops_before_a_wrong_number_is_used(amp_cfg, tmp_path, where, place, number):
    runner = AMPOnPolicyRunner(FaultyEnv(where, number, 20), train_cfg(amp_cfg), log_dir=str(tmp_path / "run"))
    runner.env.reward_manager = runner.env.observation_manager = SimpleNamespace(  # as in Isaac Lab and mjlab
        get_active_iterable_terms=lambda env: [("policy-joints", [number]), ("policy-root", [0.0]), ("amp-state", [number])]
    )
    with pytest.raises(EnvError) as fault:
        runner.learn(5)
    assert str(fault.value).startswith(f"{place}: {number:g} in environment 2 (2 of 4 environments are affected)")
    assert "terms: policy-joints" in str(fault.value) and "policy-root" not in str(fault.value)
    # Steps 1 to 16 are iterations 0 and 1.
    saved = tmp_path / "run" / "model_1.pt"
    assert str(fault.value).endswith(f"saved before it: {saved}")
    resumed = AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=str(tmp_path / "again"))
    resumed.load(str(saved))
    resumed.learn(1)


def test_nothing_is_saved_before_the_first_iteration(amp_cfg, tmp_path):
    runner = AMPOnPolicyRunner(FaultyEnv("reward", torch.inf, 1), train_cfg(amp_cfg), log_dir=str(tmp_path / "run"))
    with pytest.raises(EnvError, match=r"expected finite numbers up to 1e\+09$"):
        runner.learn(1)
    assert not list((tmp_path / "run").glob("model_*"))


def test_a_wrong_amp_state_is_left_out_unless_the_networks_see_it(amp_cfg, tmp_path):
    AMPOnPolicyRunner(FaultyEnv("amp", torch.nan, 5), train_cfg(amp_cfg)).learn(2)
    cfg = train_cfg(amp_cfg) | {"obs_groups": {"actor": ["policy"], "critic": ["policy", "amp"]}}
    with pytest.raises(EnvError, match="observation group 'amp', column 1: nan in environment 2"):
        AMPOnPolicyRunner(FaultyEnv("amp", torch.nan, 5), cfg).learn(2)
