"""What is said when clips and policy cannot be alike."""

import pytest
import torch

from amp_runner import AMPStateSpec, Discriminator, DiscriminatorCfg
from amp_runner.learning.diagnosis import describe_unreached, feature_shares, unreached_columns

SPEC = AMPStateSpec(("hip", "knee"), layout=("root_height", "joint_pos", "root_lin_vel"))
CLIP = torch.stack([torch.full((100,), 0.3), *torch.linspace(0.6, 1.2, 100).repeat(2, 1), *torch.ones(3, 100)], dim=1)


def policy(change):
    """States around those of the clip, changed: (height, hip, knee, velocity 3)."""
    torch.manual_seed(0)
    return change(CLIP + 0.1 * (torch.rand(100, 6) - 0.5))


def test_alike_states_are_no_finding():
    assert unreached_columns(CLIP, policy(lambda s: s), SPEC) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s - torch.tensor([0, 0, 0.9, 0, 0, 0]), "joint_pos knee: the clips have 0.60 to 1.20"),
        (lambda s: s - torch.tensor([0, 0, 0.9, 0, 0, 0]), "an offset of 0.9"),
        (lambda s: s / torch.tensor([1, 57.3, 1, 1, 1, 1]), "degrees in one of them?"),
        (lambda s: s * torch.tensor([100.0, 1, 1, 1, 1, 1]), "root_height: the clips have 0.30 to 0.30, the policy"),
    ],
)
def test_columns_out_of_reach_are_named_with_both_ranges(change, words):
    (line,) = unreached_columns(CLIP, policy(change), SPEC)
    assert words in line


def test_a_policy_that_does_not_walk_yet_is_no_finding():
    assert unreached_columns(CLIP, policy(lambda s: s * torch.tensor([1, 1, 1, 0.0, 0, 0])), SPEC) == []


def test_long_lists_are_shortened():
    text = describe_unreached([f"column {i}" for i in range(10)])
    assert "column 7" in text and "column 8" not in text and "and 2 more" in text


def test_the_feature_that_differs_carries_the_discrimination():
    """A discriminator trained on windows that differ in the knee alone."""
    torch.manual_seed(0)
    expert, other = torch.randn(512, 2, 6), torch.randn(512, 2, 6)
    other[..., 2] += 2.0
    discriminator = Discriminator(6, 2, DiscriminatorCfg(hidden_dims=[32], learning_rate=1e-2, input_noise=0.0))
    discriminator.update_normalizer(expert, other)
    for _ in range(100):
        loss, _ = discriminator.loss(discriminator.training_input(expert), discriminator.training_input(other))
        discriminator.optimizer.zero_grad()
        loss.backward()
        discriminator.optimizer.step()
    shares = feature_shares(discriminator.eval(), expert, other, SPEC)
    assert next(iter(shares)) == "joint_pos" and shares["joint_pos"] == pytest.approx(1.0, abs=0.15)
    assert abs(shares["root_height"]) < 0.2 and abs(shares["root_lin_vel"]) < 0.2
