import pytest
import yaml

from amp_runner import AMPCfg, ConfigError
from tests.conftest import REPOSITORY


def test_defaults_are_valid():
    AMPCfg.from_dict({"motions": "clip.npz"})


def test_nested_dictionaries_become_dataclasses():
    cfg = AMPCfg.from_dict({"motions": "clip.npz", "discriminator": {"num_updates": 3}})
    assert cfg.discriminator.num_updates == 3
    assert cfg.discriminator.hidden_dims == [256, 256]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"motion": "a.npz"}, "unknown key 'motion'; did you mean 'motions'?"),
        ({"motions": "a.npz", "discriminator": {"lerning_rate": 1.0}}, "did you mean 'learning_rate'?"),
        ({}, "amp_cfg.motions is empty"),
        ({"motions": []}, "amp_cfg.motions is empty"),
        ({"motions": [{"path": "a.npz", "weight": 0}]}, "the weight of a.npz is 0; expected a number > 0"),
        ({"motions": [{"path": "a.npz", "weight": -1.0}]}, "expected a number > 0"),
        ({"motions": [{"path": "a.npz", "weight": float("nan")}]}, "expected a number > 0"),
        ({"motions": [{"file": "a.npz"}]}, "'path' and 'weight'"),
        ({"motions": "a.npz", "num_frames": 0}, "amp_cfg.num_frames is 0"),
        ({"motions": "a.npz", "num_frames": 2.5}, "whole number"),
        ({"motions": "a.npz", "style_weight": -1}, "amp_cfg.style_weight is -1"),
        ({"motions": "a.npz", "style_weight": "high"}, "amp_cfg.style_weight is 'high'"),
        ({"motions": "a.npz", "reward_epsilon": 1.0}, "(0, 1)"),
        ({"motions": "a.npz", "step_dt": 0}, "amp_cfg.step_dt is 0"),
        ({"motions": "a.npz", "discriminator": {"hidden_dims": []}}, "hidden_dims"),
        ({"motions": "a.npz", "discriminator": {"activation": "rellu"}}, "activation is 'rellu'"),
        ({"motions": "a.npz", "mirror": {"permutation": [0, 0], "signs": [1, 1]}}, "expected every column once"),
        ({"motions": "a.npz", "mirror": {"permutation": [1, 0], "signs": [1]}}, "1 or -1 for each of 2 columns"),
        ({"motions": "a.npz", "mirror": {"permutation": [1, 0], "signs": [1, 0.5]}}, "1 or -1 for each of 2 columns"),
        (
            {"motions": "a.npz", "mirror": {"permutation": [1, 2, 0], "signs": [1, 1, 1]}},
            "column 0 is taken from column 1, but not",
        ),
        ({"motions": "a.npz", "mirror": {"permutation": [1, 0], "signs": [1, -1]}}, "mirroring twice changes nothing"),
        ({"motions": "a.npz", "mirror": {"probability": 2}}, "a number in [0, 1]"),
        ({"motions": "a.npz", "mirror": {"sign": [1]}}, "did you mean 'signs'?"),
        ({"motions": "a.npz", "discriminator": 3}, "expected a dictionary"),
        (AMPCfg(motions="a.npz", discriminator={"num_updates": 2}), "expected a DiscriminatorCfg"),
        ({"motions": "a.npz", "discriminator": {"hidden_dims": 256}}, "hidden_dims is 256; expected layer sizes"),
        ({"motions": "a.npz", "mirror": {"permutation": None}}, "amp_cfg.mirror.permutation is None; expected a list"),
        ({"motions": "a.npz", "mirror": {"permutation": [0, "a"], "signs": [1, 1]}}, "expected every column once"),
        ({"motions": "a.npz", "discriminator": {"batch_size": 1}}, "batch_size is 1; expected a whole number >= 2"),
        ({"motions": "a.npz", "command_group": 3}, "command_group is 3; expected the name of an observation group"),
        ({"motions": "a.npz", "resample_motions": "false"}, "resample_motions is 'false'; expected True or False"),
        ("a.npz", "expected a dictionary"),
    ],
)
def test_bad_values_are_named(values, words):
    with pytest.raises(ConfigError) as error:
        AMPCfg.from_dict(values)
    assert words in str(error.value)


def test_motions_may_be_a_path_a_list_or_weighted():
    assert AMPCfg(motions="a.npz").motion_entries() == [("a.npz", 1.0)]
    weighted = AMPCfg(motions=["a.npz", {"path": "b.npz", "weight": 2}])
    assert weighted.motion_entries() == [("a.npz", 1.0), ("b.npz", 2.0)]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "policies").glob("*.agent.yaml")), ids=lambda path: path.stem)
def test_the_shipped_policies_configurations_have_no_setting_that_was_removed(path):
    AMPCfg.from_dict(yaml.full_load(path.read_text())["algorithm"]["amp_cfg"])
