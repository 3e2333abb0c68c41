import numpy as np
import pytest

from amp_runner import AMPStateSpec, ConfigError, Motion, MotionError, save_motion
from amp_runner.evaluation.evaluate import load_reference


def save(path, length, dt):
    commands = np.tile(np.array([0.5, 0.0, 0.0], dtype=np.float32), (length, 1))
    states = np.arange(length, dtype=np.float32)[:, None]
    save_motion(Motion(path=str(path), states=states, clip_lengths=np.array([length]), dt=dt, commands=commands))
    return str(path)


def test_references_of_different_dt_are_compared_at_the_tasks(tmp_path):
    paths = [
        save(tmp_path / "fine.npz", 9, 0.01),
        save(tmp_path / "task.npz", 3, 0.02),
        save(tmp_path / "mute.npz", 2, None),
    ]
    reference = load_reference(paths, 0.02, None)
    assert reference.dt == 0.02
    assert reference.clip_lengths.tolist() == [5, 3, 2]
    assert reference.states.squeeze(-1).tolist() == [0, 2, 4, 6, 8, 0, 1, 2, 0, 1]
    assert reference.commands.shape == (10, 3)


def test_a_reference_without_commands_is_refused(tmp_path):
    path = str(tmp_path / "mute.npz")
    save_motion(Motion(path=path, states=np.zeros((3, 1), dtype=np.float32), clip_lengths=np.array([3]), dt=0.02))
    with pytest.raises(MotionError, match=r"mute.npz: has no 'commands', which amp-eval needs"):
        load_reference([path], 0.02, None)


def test_velocities_in_another_frame_than_the_commands_are_refused(tmp_path):
    path = save(tmp_path / "clip.npz", 3, 0.02)
    with pytest.raises(ConfigError, match=r"in the world frame.*velocity_frame=heading"):
        load_reference([path], 0.02, AMPStateSpec(("hip",), velocity_frame="world"))
