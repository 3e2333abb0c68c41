import inspect

import numpy as np
import pytest
import torch
from rsl_rl.algorithms import PPO
from rsl_rl.runners import OnPolicyRunner

from amp_runner import AMPOnPolicyRunner, ConfigError, MotionError
from tests.conftest import CountingEnv, train_cfg


def trained(runner_class, cfg, iterations=5, **kwargs):
    torch.manual_seed(0)
    runner = runner_class(CountingEnv(), cfg, log_dir=None, device="cpu", **kwargs)
    runner.learn(iterations)
    return runner.alg


@pytest.mark.parametrize("runner_class", [OnPolicyRunner, AMPOnPolicyRunner])
def test_without_style_actor_and_critic_are_bitwise_those_of_plain_ppo(amp_cfg, runner_class):
    plain = trained(OnPolicyRunner, train_cfg())
    amp = trained(runner_class, train_cfg({**amp_cfg, "style_weight": 0.0}))
    for model in ("actor", "critic"):
        expected = getattr(plain, model).state_dict()
        for name, value in getattr(amp, model).state_dict().items():
            assert torch.equal(value, expected[name]), f"{model}.{name}"
    assert amp.discriminator.normalizer.count > 0, "the discriminator was trained all the same"


def test_style_changes_the_policy(amp_cfg):
    plain = trained(OnPolicyRunner, train_cfg())
    amp = trained(OnPolicyRunner, train_cfg({**amp_cfg, "style_weight": 1.0}))
    assert not torch.equal(plain.actor.mlp[0].weight, amp.actor.mlp[0].weight)


def test_rewards_are_blended_and_the_bootstrap_keeps_its_weight(amp_cfg):
    weights = {"style_weight": 3.0, "task_weight": 0.5, "step_dt": 0.1}
    runner = OnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, **weights}), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        storage = alg.storage
        bootstrap = storage.rewards.squeeze(-1) - storage.task_rewards
        blend(style)
        seen.update(style=style, task=storage.task_rewards.clone(), bootstrap=bootstrap)
        seen["rewards"] = storage.rewards.squeeze(-1).clone()

    alg._blend = spy
    runner.learn(1)
    expected = 0.5 * seen["task"] + 3.0 * 0.1 * seen["style"] + seen["bootstrap"]
    torch.testing.assert_close(seen["rewards"], expected)
    assert (seen["bootstrap"] != 0).any(), "some episode ended in time"
    assert (seen["style"][0] == 0).all(), "no window of three frames after one step"
    assert (seen["style"][1:3] > 0).any()


def test_style_reward_is_the_discriminators_after_its_update(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu")
    alg, seen = runner.alg, {}
    blend = alg._blend

    def spy(style):
        windows, is_real = alg.storage.windows()
        seen["difference"] = style - alg.discriminator.style_reward(windows, alg.amp_cfg.reward_epsilon) * is_real
        blend(style)

    alg._blend = spy
    runner.learn(1)
    assert (seen["difference"] == 0).all()


def test_statistics_are_reported(amp_cfg):
    runner = OnPolicyRunner(CountingEnv(), train_cfg(amp_cfg), log_dir=None, device="cpu")
    losses, update = {}, runner.alg.update
    runner.alg.update = lambda: losses.update(update()) or losses
    runner.learn(1)
    names = ["style_reward", "task_reward", "discriminator_loss", "gradient_penalty"]
    names += ["accuracy_expert", "accuracy_policy", "logit_expert", "logit_policy"]
    assert {f"AMP/{name}" for name in names} <= set(losses)
    assert all(isinstance(value, float) for value in losses.values())


def test_the_default_batch_follows_the_rollout(amp_cfg):
    amp_cfg["discriminator"].pop("batch_size")
    runner = OnPolicyRunner(CountingEnv(num_envs=60), train_cfg(amp_cfg), log_dir=None, device="cpu")
    assert runner.alg.trainer.batch_size == 60 * 8 // 12


def test_the_time_step_comes_from_the_environment_else_the_clip(amp_cfg):
    env = CountingEnv()
    assert OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None, device="cpu").alg.step_dt == 0.02
    del env.step_dt
    assert OnPolicyRunner(env, train_cfg(amp_cfg), log_dir=None, device="cpu").alg.step_dt == 0.02
    assert OnPolicyRunner(env, train_cfg({**amp_cfg, "step_dt": 0.5}), log_dir=None, device="cpu").alg.step_dt == 0.5


def test_an_environment_without_amp_states_is_told_how_to_add_them(amp_cfg):
    class Plain(CountingEnv):
        def get_observations(self):
            return super().get_observations().exclude("amp")

    with pytest.raises(ConfigError) as error:
        AMPOnPolicyRunner(Plain(), train_cfg(amp_cfg))
    message = str(error.value)
    assert "no observation group 'amp'; it has: policy" in message
    assert "amp = AMPObsGroupCfg()" in message and "compute_final_obs=True" in message


def test_an_amp_group_with_history_is_refused(amp_cfg):
    class History(CountingEnv):
        def get_observations(self):
            obs = super().get_observations()
            obs["amp"] = obs["amp"].unsqueeze(1)
            return obs

    with pytest.raises(ConfigError, match=r"is \(4, 1, 4\), torch.float32; expected one frame"):
        AMPOnPolicyRunner(History(), train_cfg(amp_cfg))


def test_a_wrong_configuration_is_refused_when_the_runner_is_built(amp_cfg):
    with pytest.raises(ConfigError, match="amp_cfg is missing"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg(class_name="amp_runner:AMPPPO"))
    with pytest.raises(ConfigError, match="unknown key 'style'"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "style": 1.0}))
    with pytest.raises(MotionError, match="no such file"):
        AMPOnPolicyRunner(CountingEnv(), train_cfg({**amp_cfg, "motions": "none.npz"}))


@pytest.mark.parametrize("extension", ["recurrent", "rnd", "mixed_precision"])
def test_rsl_rls_extensions_work_together_with_amp(amp_cfg, extension):
    cfg = train_cfg(amp_cfg)
    if extension == "recurrent":
        for model in ("actor", "critic"):
            cfg[model] |= {"class_name": "RNNModel", "rnn_type": "gru", "rnn_hidden_dim": 8, "rnn_num_layers": 1}
    if extension == "rnd":
        cfg["obs_groups"]["rnd_state"] = ["policy"]
        rnd = {"num_outputs": 2, "predictor_hidden_dims": [8], "target_hidden_dims": [8], "weight": 0.1}
        cfg["algorithm"]["rnd_cfg"] = rnd
    if extension == "mixed_precision":
        if "use_mixed_precision" not in inspect.signature(PPO.__init__).parameters:
            pytest.skip("mixed precision came with RSL-RL 5.5")
        cfg["algorithm"]["use_mixed_precision"] = True
    runner = AMPOnPolicyRunner(CountingEnv(), cfg, log_dir=None, device="cpu")
    before = runner.alg.actor.mlp[0].weight.clone()
    runner.learn(2)
    assert not torch.equal(before, runner.alg.actor.mlp[0].weight)
    assert runner.alg.discriminator.normalizer.count > 0


def test_no_replay_and_a_file_with_only_amp_states(amp_cfg, tmp_path):
    np.savez(tmp_path / "bare.npz", amp_states=np.random.default_rng(0).normal(size=(20, 4)))
    bare = {**amp_cfg, "motions": str(tmp_path / "bare.npz"), "replay_size": 0, "num_frames": 1}
    runner, other = (AMPOnPolicyRunner(CountingEnv(), train_cfg(bare), log_dir=None, device="cpu") for _ in range(2))
    runner.learn(2)
    assert len(runner.alg.trainer.replay) == 0
    runner.save(str(tmp_path / "model.pt"))
    other.load(str(tmp_path / "model.pt"))
