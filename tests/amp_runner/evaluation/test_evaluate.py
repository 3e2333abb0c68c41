import numpy as np
import pytest

from amp_runner import AMPStateSpec, Motion, MotionError, save_motion
from amp_runner.evaluation.evaluate import evaluate_gait, load_reference
from amp_runner.evaluation.trial import Trial
from tests.amp_runner.evaluation.synthetic import BIPED, gait, motion, robots

SPEC = AMPStateSpec(("hip",))


def save(path, length, dt, commands=None, spec=SPEC):
    states = np.arange(length, dtype=np.float32)[:, None] * np.ones((1, spec.dim), dtype=np.float32)
    if "projected_gravity" in spec.features:
        states[:, spec.features["projected_gravity"]] = [0.0, 0.0, -1.0]
    motion = Motion.with_spec(spec, str(path), states, np.array([length]), dt=dt, commands=commands)
    save_motion(motion)
    return str(path)


def constant(length, speed=0.5):
    return np.tile(np.array([speed, 0.0, 0.0], dtype=np.float32), (length, 1))


def test_references_of_different_dt_are_compared_at_the_tasks(tmp_path):
    paths = [save(tmp_path / "fine.npz", 9, 0.01, constant(9)), save(tmp_path / "task.npz", 3, 0.02, constant(3))]
    reference = load_reference(paths, 0.02)
    assert reference.dt == 0.02
    assert reference.clip_lengths.tolist() == [5, 3]
    assert reference.states[:, 0].tolist() == [0, 2, 4, 6, 8, 0, 1, 2]
    assert reference.commands.shape == (8, 3)


def test_without_commands_the_velocities_are_the_commands(tmp_path):
    reference = load_reference([save(tmp_path / "mute.npz", 4, 0.02)], 0.02)
    assert reference.commands[0].tolist() == [1.5, 1.5, 1.5], "the mean of 0, 1, 2, 3"


def test_a_capture_that_stops_is_split_into_pieces_of_one_command(tmp_path):
    commands = np.concatenate([constant(400, 1.0), constant(400, 0.0)])
    reference = load_reference([save(tmp_path / "take.npz", 800, 0.02, commands)], 0.02)
    assert reference.clip_lengths.tolist() == [200, 200, 200, 200]
    assert reference.clip_commands()[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_other_features_are_left_out_and_gravity_comes_from_a_quaternion(tmp_path):
    spec = AMPStateSpec(("hip",), "quaternion", key_bodies=("hand",))
    path = save(tmp_path / "a.npz", 4, 0.02, constant(4), spec)
    states = np.load(path)["amp_states"].copy()
    states[:, spec.features["root_quat_xyzw"]] = [0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)]
    save_motion(Motion.with_spec(spec, path, states, np.array([4]), dt=0.02, commands=constant(4)))
    reference = load_reference([path], 0.02)
    assert reference.spec == SPEC
    np.testing.assert_allclose(reference.states[:, 1:4], np.tile([1.0, 0.0, 0.0], (4, 1)), atol=1e-6)


def test_references_that_cannot_be_measured_are_refused(tmp_path):
    world = save(tmp_path / "a.npz", 3, 0.02, constant(3), AMPStateSpec(("hip",), velocity_frame="world"))
    with pytest.raises(MotionError, match="velocity_frame is world; expected heading"):
        load_reference([world], 0.02)
    bare = save(tmp_path / "b.npz", 3, 0.02, constant(3), AMPStateSpec(("hip",), layout=("joint_pos", "joint_vel")))
    with pytest.raises(MotionError, match="has no root_height; it has the features joint_pos, joint_vel"):
        load_reference([bare], 0.02)


def test_the_measures_of_equal_commands_are_added_on_request_and_pushed_robots_do_not_count():
    commands = [(0.4, 0.0, 0.0), (0.6, 0.0, 0.0)]
    walk, reference = robots(BIPED, commands, each=4), motion(BIPED, [gait(BIPED, c) for c in commands], commands)
    pushed = np.arange(8) >= 4
    walk.states[:, pushed] += 1.0
    walk.falls[300, pushed] = True
    trial = Trial(walk.commands, pushed, np.zeros((1, 8, 2)), 8.0)
    unmatched, matched = (evaluate_gait(walk, trial, reference, matched) for matched in (False, True))
    assert matched["falls_per_minute"] == 0 and matched["falls_per_minute_pushed"] == pytest.approx(60 / 8)
    assert matched["matched_commands"] == 2 and matched["stride_distance_rad"] < 0.01
    assert set(unmatched) < set(matched) and not any("auc" in name for name in unmatched)
