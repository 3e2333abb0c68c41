import pytest

from amp_runner import ConfigError
from amp_runner.cli.overrides import (
    check_overrides,
    parse_motion_argument,
    preset_overrides,
    refuse_unknown_flags,
    with_quoted_names,
    without_terms_switched_off,
)
from amp_runner.learning.config import AMPCfg
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("walk.npz", {"path": "walk.npz"}),
        ("walk.npz:2.5", {"path": "walk.npz", "weight": 2.5}),
        ("C:/clips/walk.npz", {"path": "C:/clips/walk.npz"}),
        ("C:/clips/walk.npz:3", {"path": "C:/clips/walk.npz", "weight": 3.0}),
        ("a:b/clips", {"path": "a:b/clips"}),
    ],
)
def test_motion_arguments(text, entry):
    assert parse_motion_argument(text) == entry


@pytest.mark.parametrize("text", ["walk.npz:0", "walk.npz:-1", "walk.npz:nan", "walk.npz:inf"])
def test_weights_must_be_positive(text):
    with pytest.raises(ConfigError, match="expected a number > 0"):
        parse_motion_argument(text)


def test_presets_become_overrides(tmp_path):
    preset = tmp_path / "preset.yaml"
    preset.write_text("agent:\n  max_iterations: 3\n  algorithm: {amp_cfg: {motions: ['a b.npz']}}\n")
    assert preset_overrides([str(preset)]) == ["agent.max_iterations=3", "agent.algorithm.amp_cfg.motions=['a b.npz']"]


def test_a_preset_does_not_reach_into_terms_that_are_switched_off():
    cfgs = {"env": {"events": {"reset": None, "push": {"speed": 1.0}}}, "agent": {"seed": 1}}
    kept = ["env.events.push.speed=2.0", "env.events.reset=None", "agent.seed=2", "env.evnts.reset.probability=0.5"]
    assert without_terms_switched_off([*kept, "env.events.reset.probability=0.5"], cfgs) == kept


@pytest.mark.parametrize(
    ("text", "words"), [("learning_rate: 1", "expected only the sections"), ("- 1", "expected"), ("a: [", "YAML")]
)
def test_bad_presets_are_refused(tmp_path, text, words):
    preset = tmp_path / "preset.yaml"
    preset.write_text(text)
    with pytest.raises(ConfigError, match=words):
        preset_overrides([str(preset)])


def test_the_shipped_presets_name_settings_that_exist():
    for preset in (REPOSITORY / "configs").glob("*.yaml"):
        overrides = [o.removeprefix("agent.algorithm.") for o in preset_overrides([str(preset)])]
        check_overrides(overrides, {"amp_cfg": AMPCfg()})


def test_settings_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match=r"unknown setting 'amp_cfg.style_wight'; did you mean 'style_weight'\?"):
        check_overrides(["amp_cfg.style_wight=1"], {"amp_cfg": AMPCfg()})


def test_unknown_flags_are_refused():
    with pytest.raises(ConfigError, match="unknown argument '--nonsense'; see amp-train --help"):
        refuse_unknown_flags("amp-train", ["env.a=1", "--nonsense"])


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("agent.a=[root_lin_vel,root_ang_vel]", "agent.a=['root_lin_vel', 'root_ang_vel']"),
        ("env.a=[0.1, 0.5]", "env.a=[0.1, 0.5]"),
        ("env.a={'x': (0.1, 0.2)}", "env.a={'x': (0.1, 0.2)}"),
        ("env.a=[b", "env.a=[b"),
        ("--device=cpu", "--device=cpu"),
    ],
)
def test_names_in_lists_need_no_quotes(argument, expected):
    assert with_quoted_names([argument]) == [expected]
