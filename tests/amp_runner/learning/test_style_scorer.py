import math

import pytest
import torch

from amp_runner import AMPCfg, CheckpointError, Discriminator, DiscriminatorCfg
from amp_runner.learning.style_scorer import StyleScorer

CFG = AMPCfg(motions="x.npz", num_frames=3, discriminator=DiscriminatorCfg(hidden_dims=[8]))


def saved():
    discriminator = Discriminator(4, 3, CFG.discriminator, seed=1)
    return discriminator, {"frame_dim": 4, "num_frames": 3, "discriminator": discriminator.state_dict()}


def test_it_judges_the_last_window_once_there_is_one():
    discriminator, state = saved()
    discriminator.eval()
    meter, frames = StyleScorer(state, CFG), torch.randn(5, 4)
    assert meter.add(frames[0]) is None and meter.add(frames[1]) is None
    meter.add(frames[2])
    score = meter.add(frames[3])
    probability = torch.sigmoid(discriminator(frames[1:4])).item()
    assert score.probability == pytest.approx(probability)
    assert score.reward == pytest.approx(-math.log(1 - probability), rel=1e-5)
    meter.reset()
    assert meter.add(frames[4]) is None


def test_another_network_is_refused():
    _, state = saved()
    other = AMPCfg(motions="x.npz", num_frames=3, discriminator=DiscriminatorCfg(hidden_dims=[16]))
    for wrong in (state, {}, {**state, "num_frames": "three"}, {**state, "discriminator": None}):
        with pytest.raises(CheckpointError, match="does not match the agent's"):
            StyleScorer(wrong, other)
