"""Trainings that diverge or exhaust the memory end with a sentence, and save nothing that is not finite."""

import pytest
import torch

from amp_runner import AMPError, AMPOnPolicyRunner, DivergenceError
from tests.conftest import CountingEnv, train_cfg


@pytest.fixture
def make(amp_cfg, tmp_path):
    def make(**changes):
        cfg = train_cfg(amp_cfg, **changes) | {"save_interval": 1}
        return AMPOnPolicyRunner(CountingEnv(), cfg, log_dir=str(tmp_path / "run"))

    return make


def set_first(module, number):
    with torch.no_grad():
        next(module.parameters()).view(-1)[0] = number


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda alg: set_first(alg.actor.mlp, torch.nan), r"the policy has diverged: "),
        (
            lambda alg: set_first(alg.critic.mlp, torch.nan),
            r"the policy has diverged: its weights .* lower the learning rate",
        ),
        (lambda alg: set_first(alg.discriminator.net, torch.nan), r"the discriminator has diverged: its loss is nan"),
        (
            lambda alg: set_first(alg.discriminator.net, 1e30),
            r"the discriminator has diverged: its loss is .*; expected at most",
        ),
    ],
    ids=["policy", "critic", "discriminator", "huge"],
)
def test_a_training_that_diverges_says_what_has(make, tmp_path, change, words):
    runner = make()
    runner.learn(1)
    change(runner.alg)
    with pytest.raises(DivergenceError, match=words) as error:
        runner.learn(2)
    saved = tmp_path / "run" / "model_0.pt"
    assert str(error.value).endswith(f"; the last checkpoint is {saved}")
    assert [path.name for path in saved.parent.glob("model_*")] == ["model_0.pt"], "nothing was saved after it"
    make().load(str(saved))


def test_an_infinite_action_is_named_even_where_the_environment_survives_it(make):
    runner = make()
    act = runner.alg.act

    def with_infinity(obs):
        actions = act(obs)
        actions[2, 1] = torch.inf
        return actions

    runner.alg.act = with_infinity
    with pytest.raises(
        DivergenceError, match=r"action 1 of environment 2 is inf \(1 of 4 environments\).*nothing was saved"
    ):
        runner.learn(1)


def test_a_discriminator_whose_learning_rate_is_absurd_is_named(make, amp_cfg):
    amp_cfg["discriminator"] |= {"learning_rate": 1e6, "num_updates": 20}
    with pytest.raises(DivergenceError, match=r"lower amp_cfg\.discriminator\.learning_rate"):
        make().learn(20)


def test_exhausted_memory_says_what_to_lower(make):
    runner = make()

    def exhausted():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    runner.alg.update = exhausted
    words = r"exhausted with 4 environments of 8 steps.*lower --num_envs to 2, or .*num_mini_batches from 2 to 4"
    with pytest.raises(AMPError, match=words):
        runner.learn(1)
