"""Loss, penalty and reward against values computed by hand."""

import math

import pytest
import torch

from amp_runner import AMPStateSpec, Discriminator, DiscriminatorCfg
from amp_runner.errors import ConfigError
from amp_runner.learning.discriminator import gradient_penalty, ignored_columns

EPSILON = 1e-4


@pytest.fixture
def linear():
    """A discriminator whose logit is x[0] + 2 x[1] + 0.5 for one-frame windows of two numbers, not normalised."""
    disc = Discriminator(2, 1, DiscriminatorCfg(hidden_dims=[2], activation="identity", input_noise=0.0))
    disc.normalizer.eps = 0.0
    with torch.no_grad():
        disc.net[0].weight.copy_(torch.eye(2))
        disc.net[0].bias.zero_()
        disc.net[2].weight.copy_(torch.tensor([[1.0, 2.0]]))
        disc.net[2].bias.fill_(0.5)
    return disc


def window(*values):
    return torch.tensor(values).reshape(-1, 1, 2)


def test_loss_is_binary_cross_entropy_plus_penalty(linear):
    expert, policy = window(1.0, 0.0, 0.0, 1.0), window(-1.0, 0.0, 0.0, -1.0)  # logits 1.5, 2.5 and -0.5, -1.5
    loss, statistics = linear.loss(expert.flatten(1), policy.flatten(1))
    sigmoid = [1 / (1 + math.exp(-x)) for x in (1.5, 2.5, -0.5, -1.5)]
    expert_term = -(math.log(sigmoid[0]) + math.log(sigmoid[1])) / 2
    policy_term = -(math.log(1 - sigmoid[2]) + math.log(1 - sigmoid[3])) / 2
    cross_entropy = (expert_term + policy_term) / 2
    assert statistics["discriminator_loss"].item() == pytest.approx(cross_entropy, rel=1e-6)
    assert statistics["gradient_penalty"].item() == pytest.approx(1.0**2 + 2.0**2)
    assert loss.item() == pytest.approx(cross_entropy + 0.2 * 5.0, rel=1e-6)
    assert statistics["accuracy_expert"] == statistics["accuracy_policy"] == 1.0
    assert statistics["logit_expert"].item() == pytest.approx(2.0)
    assert statistics["logit_policy"].item() == pytest.approx(-1.0)


def test_the_penalty_is_computed_on_expert_windows():
    disc = Discriminator(2, 1, DiscriminatorCfg(hidden_dims=[2], input_noise=0.0))
    disc.normalizer.eps = 0.0
    disc.logits = lambda windows: windows.square().sum(dim=-1)  # gradient (2 x0, 2 x1)
    _, statistics = disc.loss(window(1.0, 0.0).flatten(1), window(0.0, 3.0).flatten(1))
    assert statistics["gradient_penalty"].item() == pytest.approx(4 * 1.0)


def test_gradient_penalty_of_a_quadratic():
    # d/dx of x0^2 + 3 x1 is (2 x0, 3): squared norms 13 and 25, mean 19.
    inputs = torch.tensor([[1.0, 0.0], [2.0, 5.0]], requires_grad=True)
    penalty = gradient_penalty(inputs[:, 0] ** 2 + 3 * inputs[:, 1], inputs)
    assert penalty.item() == pytest.approx((4 + 9 + 16 + 9) / 2)
    penalty.backward()  # the penalty itself is trained on


@pytest.mark.parametrize("logit", [-30.0, -2.0, 0.0, 1.0, 5.0])
def test_style_reward_is_minus_log_one_minus_d(linear, logit):
    d = 1 / (1 + math.exp(-logit))
    reward = linear.style_reward(window(logit - 0.5, 0.0), EPSILON)
    assert reward.item() == pytest.approx(-math.log(max(1 - d, EPSILON)), rel=1e-5)


def test_style_reward_is_capped_and_finite_for_any_logit(linear):
    rewards = linear.style_reward(window(1e4, 0.0, -1e4, 0.0), EPSILON)
    assert rewards.tolist() == pytest.approx([-math.log(EPSILON), 0.0])


def test_initial_weights_leave_the_global_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    Discriminator(4, 2, DiscriminatorCfg(), seed=1)
    assert torch.equal(torch.rand(1), expected)


def test_the_normaliser_learns_from_both_sides_and_only_when_told():
    disc = Discriminator(1, 1, DiscriminatorCfg(input_noise=0.0))
    expert, policy = torch.full((10, 1, 1), 3.0), torch.full((10, 1, 1), 1.0)
    disc.update_normalizer(expert, policy)
    assert disc.normalizer.mean.item() == pytest.approx(2.0)
    assert disc.normalizer.std.item() == pytest.approx(1.0)
    disc.loss(disc.training_input(expert), disc.training_input(policy))
    disc.style_reward(policy, EPSILON)
    assert disc.normalizer.count.item() == 20, "frozen within an update"


def test_training_separates_two_distributions():
    generator = torch.Generator().manual_seed(0)
    disc = Discriminator(2, 3, DiscriminatorCfg(learning_rate=1e-2))
    for _ in range(100):
        expert = torch.randn(64, 3, 2, generator=generator) + 1
        policy = torch.randn(64, 3, 2, generator=generator) - 1
        loss, statistics = disc.loss(disc.training_input(expert, generator), disc.training_input(policy, generator))
        disc.optimizer.zero_grad()
        loss.backward()
        disc.optimizer.step()
    assert statistics["accuracy_expert"] > 0.9 and statistics["accuracy_policy"] > 0.9
    assert disc.style_reward(expert, EPSILON).mean() > disc.style_reward(policy, EPSILON).mean() + 1


def test_only_its_own_weights_are_seeded(monkeypatch):
    """On a GPU too: plain PPO must draw the same numbers as without AMP."""
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("seeds the GPUs' generators"))
    torch.default_generator.manual_seed(3)
    expected = torch.rand(2)
    torch.default_generator.manual_seed(3)
    Discriminator(2, 1, DiscriminatorCfg(hidden_dims=[4]), seed=5)
    assert torch.equal(torch.rand(2), expected)


SPEC = AMPStateSpec(("hip", "knee"), layout=("root_lin_vel", "joint_pos", "root_height"))


def test_ignored_features_neither_change_the_logit_nor_reach_the_network():
    cfg = DiscriminatorCfg(hidden_dims=[8], ignored_features=["root_lin_vel", "root_height"])
    assert ignored_columns(cfg, SPEC) == [0, 1, 2, 5]
    disc = Discriminator(SPEC.dim, 3, cfg, seed=1, ignored_columns=ignored_columns(cfg, SPEC))
    windows = torch.randn(4, 3, SPEC.dim)
    changed = windows.clone()
    changed[..., [0, 1, 2, 5]] += 7.0
    assert torch.equal(disc(windows), disc(changed))
    assert disc.training_input(windows).shape == (4, 3 * 2)
    changed[..., 3] += 1.0
    assert not torch.equal(disc(windows), disc(changed))


@pytest.mark.parametrize(
    "names, spec, message",
    [
        (["root_lin_veI"], SPEC, "did you mean 'root_lin_vel'"),
        (["root_lin_vel"], None, "env.amp_spec"),
        (["root_lin_vel", "joint_pos", "root_height"], SPEC, "at least one"),
    ],
)
def test_features_that_cannot_be_ignored_are_named(names, spec, message):
    with pytest.raises(ConfigError, match=message):
        ignored_columns(DiscriminatorCfg(ignored_features=names), spec)


def test_the_penalty_is_estimated_on_a_quarter_of_the_expert_windows():
    disc = Discriminator(2, 1, DiscriminatorCfg(hidden_dims=[2], input_noise=0.0))
    disc.logits = lambda windows: windows.square().sum(dim=-1)  # squared gradient: 4 |x|^2
    expert = torch.tensor([[1.0, 0.0], [0.0, 2.0], *[[50.0, 50.0]] * 6])
    _, statistics = disc.loss(expert, torch.zeros(8, 2))
    assert statistics["gradient_penalty"].item() == pytest.approx((4 * 1 + 4 * 4) / 2)


def test_an_optimizer_state_from_a_gpu_is_loaded_on_a_cpu():
    disc = Discriminator(2, 1, DiscriminatorCfg(hidden_dims=[2]))
    loss, _ = disc.loss(torch.randn(4, 2), torch.randn(4, 2))
    loss.backward()
    disc.optimizer.step()
    state = disc.optimizer.state_dict()
    state["param_groups"] = [group | {"capturable": True, "fused": None} for group in state["param_groups"]]
    disc.load_optimizer_state(state)
    disc.optimizer.step()
    assert [group["capturable"] for group in disc.optimizer.param_groups] == [False]
