"""The matched test against gaits whose difference is known."""

import dataclasses

import numpy as np
import pytest

from amp_runner.evaluation.glance import write_glance
from amp_runner.evaluation.judge import SUFFIXES, judge_gait, standing_metrics
from amp_runner.evaluation.strides import phase_difference
from tests.amp_runner.evaluation.synthetic import BIPED, DT, PACE, QUADRUPED, TROT, gait, motion, recording, robots

COMMANDS = [(round(0.3 + 0.02 * i, 2), 0.0, 0.0) for i in range(28)]
SOME = COMMANDS[::3]
AREAS = [f"two_sample_auc_{name}" for name in ("1_frame", "5_frames", "20_frames", "root", "joint_pos", "joint_vel")]


def clips(spec=BIPED, commands=COMMANDS, each=1, **kind):
    commands = list(commands) * each
    states = [gait(spec, c, seconds=4.0, noise=0.003, seed=1000 + i, **kind) for i, c in enumerate(commands)]
    return motion(spec, states, commands)


@pytest.fixture(scope="module")
def same():
    return judge_gait(robots(BIPED, COMMANDS), clips(each=4))


def test_the_floors_are_chance(same):
    assert same["matched_commands"] == 28
    for name in AREAS:
        for suffix in SUFFIXES[1:]:
            assert same[name + suffix] == pytest.approx(0.5, abs=0.05), name + suffix


def test_a_policy_with_the_references_distribution_is_not_separable(same):
    for name in AREAS:
        assert same[name] == pytest.approx(0.5, abs=0.05), name
    assert same["precision"] > 0.8 and same["recall"] > 0.8
    assert same["stride_distance_rad"] < 0.01 and same["coordination_difference"] < 0.01
    assert same["leg_phase_left"] == 0 and same["leg_phase_right"] == pytest.approx(0.5, abs=0.01)


def test_a_gait_of_twice_the_frequency_is_separable():
    fast = judge_gait(robots(BIPED, SOME, frequency=4.0), clips(commands=SOME))
    assert fast["two_sample_auc_5_frames"] > 0.95 and fast["two_sample_auc_joint_vel"] > 0.95
    # Its mean stride over the phase is that of the reference.
    assert fast["stride_distance_rad"] < 0.02


def test_half_the_amplitude_is_an_imprecise_gait_with_its_distance_in_rad():
    shuffle = judge_gait(robots(BIPED, SOME, amplitude=0.15), clips(commands=SOME))
    assert shuffle["precision"] < 0.2
    # 0.15 rad less amplitude is 0.106 rad rms; warping takes a part of it.
    assert 0.05 < shuffle["stride_distance_rad"] < 0.11
    assert shuffle["stride_distance_rad_reference_vs_itself"] < 0.01
    assert shuffle["stride_distance_rad_policy_vs_itself"] < 0.01


def test_the_lag_between_hip_and_knee_is_compared():
    late = judge_gait(robots(BIPED, COMMANDS[:4], lag=0.4), clips(commands=COMMANDS[:4]))
    assert late["coordination_difference"] == pytest.approx(0.15, abs=0.01)


def test_four_legs():
    found = judge_gait(robots(QUADRUPED, COMMANDS[:4], legs=PACE), clips(QUADRUPED, COMMANDS[:4], legs=TROT))
    legs = ("fl", "fr", "rl", "rr")
    for name, phases in (("leg_phase", PACE), ("reference_leg_phase", TROT)):
        measured = np.array([found[f"{name}_{leg}"] for leg in legs])
        assert phase_difference(measured, np.array(phases)).max() < 0.01, name


def test_one_robot_at_each_command_is_enough_but_has_no_floor():
    found = judge_gait(robots(BIPED, COMMANDS, each=1), clips())
    assert found["two_sample_auc_5_frames"] == pytest.approx(0.5, abs=0.1)
    assert np.isnan(found["two_sample_auc_5_frames_policy_vs_itself"])
    assert np.isnan(found["stride_distance_rad_policy_vs_itself"])


def test_a_reference_of_a_few_strides_has_no_floor():
    """One clip of 4 s at 1 Hz has four blocks of whole strides: too few to be divided."""
    found = judge_gait(robots(BIPED, SOME[:1], each=8, frequency=1.0), clips(commands=SOME[:1], frequency=1.0))
    assert np.isnan([found["two_sample_auc_5_frames_reference_vs_itself"], found["recall_reference_vs_itself"]]).all()
    assert np.isfinite([found["two_sample_auc_5_frames"], found["two_sample_auc_5_frames_policy_vs_itself"]]).all()


def test_nothing_in_common_is_nothing_measured():
    found = judge_gait(robots(BIPED, COMMANDS[:2]), clips(commands=[(2.0, 0.0, 0.0)]))
    assert found["matched_commands"] == 0
    assert np.isnan([found[name] for name in (*AREAS, "precision", "recall", "stride_distance_rad")]).all()


def test_standing_is_measured_where_nothing_is_commanded():
    walk = robots(BIPED, [(0.0, 0.0, 0.0), (0.5, 0.0, 0.0)], each=2, noise=0.0)
    # 0.3 m/s to and fro at 1 Hz, and 0.04 m/s to the left.
    sway = 0.3 * np.sign(np.sin(2 * np.pi * np.arange(len(walk.states)) * DT + 0.01))
    walk.states[:, [0, 2], BIPED.features["root_lin_vel"].start] = sway[:, None]
    walk.states[:, [0, 2], BIPED.features["root_lin_vel"].start + 1] = 0.04
    # The first foot is lifted for 0.1 s each second; the second one loses contact for single frames.
    contact = walk.foot_contact.copy()
    frames = np.arange(len(contact))
    contact[frames % 50 < 5, :, 0] = False
    contact[frames % 10 == 0, :, 1] = False
    found = standing_metrics(dataclasses.replace(walk, foot_contact=contact))
    assert found["standing_speed_mps"] == pytest.approx(np.hypot(0.3, 0.04), rel=0.01)
    assert found["standing_drift_mps"] == pytest.approx(0.04, rel=0.05)
    assert found["standing_steps_per_s"] == pytest.approx(1.0, abs=0.1)


def test_robots_that_turn_on_the_spot_do_not_drift():
    """A circle of 0.1 m/s and 2 pi / 3 rad/s closes every 3 s, and so over the 6 s after settling."""
    circle = gait(BIPED, (0.1, 0.0, 2 * np.pi / 3))
    found = standing_metrics(recording(BIPED, [circle], [(0.0, 0.0, 0.0)]))
    assert found["standing_speed_mps"] == pytest.approx(0.1) and found["standing_drift_mps"] < 0.002


def test_without_robots_that_stand_there_is_no_measure():
    assert standing_metrics(robots(BIPED, [(0.5, 0.0, 0.0)], each=1)) == {}


@pytest.mark.parametrize(("spec", "legs"), [(BIPED, (0.0, 0.5)), (QUADRUPED, TROT)])
def test_the_picture_is_drawn_for_any_number_of_legs(tmp_path, spec, legs):
    walk, reference = robots(spec, COMMANDS[:3], legs=legs), clips(spec, COMMANDS[:3], legs=legs)
    assert write_glance(tmp_path, walk, reference, {"precision": 0.5}) == ["at_a_glance"]
    assert (tmp_path / "at_a_glance.png").stat().st_size > 20_000
