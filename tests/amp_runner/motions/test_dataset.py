import numpy as np
import pytest
import torch

from amp_runner import AMPStateSpec, Motion, MotionDataset, MotionError, save_motion

SPEC = AMPStateSpec(joint_names=("a", "b"))


def counting(path, lengths, offset=0, dt=0.02, **kwargs):
    """A clip whose single feature counts frames from ``offset``; clips are 1000 apart."""
    states = np.concatenate([offset + 1000 * c + np.arange(n) for c, n in enumerate(lengths)])[:, None]
    motion = Motion(path=str(path), states=states.astype(np.float32), clip_lengths=np.array(lengths), dt=dt, **kwargs)
    save_motion(motion)
    return motion


def test_windows_never_cross_a_clip_boundary(tmp_path):
    counting(tmp_path / "a.npz", [5, 7])
    data = MotionDataset.load([(tmp_path / "a.npz", 1.0)], num_frames=3)
    assert data.num_windows == 3 + 5
    windows = data.sample(1000, torch.Generator().manual_seed(0)).squeeze(-1)
    assert torch.equal(windows.diff(dim=1), torch.ones(1000, 2)), "consecutive frames of one clip"
    assert set(windows[:, 0].tolist()) == {0, 1, 2, 1000, 1001, 1002, 1003, 1004}, "every window is drawn"


def test_entries_are_drawn_by_weight_and_windows_within_evenly(tmp_path):
    (tmp_path / "folder").mkdir()
    counting(tmp_path / "folder" / "a.npz", [10])
    counting(tmp_path / "folder" / "b.npz", [30], offset=5000)
    counting(tmp_path / "c.npz", [100], offset=9000)
    data = MotionDataset.load([(tmp_path / "folder", 3.0), (tmp_path / "c.npz", 1.0)], num_frames=1)
    first = data.sample(40_000, torch.Generator().manual_seed(0))[:, 0, 0]
    in_folder = (first < 9000).float().mean().item()
    assert in_folder == pytest.approx(0.75, abs=0.01)
    assert (first < 5000).float().mean().item() == pytest.approx(0.75 * 0.25, abs=0.01), "10 of the folder's 40 windows"


def test_frames_end_with_the_clips_commands(tmp_path):
    commands = np.repeat([[0.5, 0.0, 0.1], [-0.2, 0.3, 0.0]], [3, 4], axis=0).astype(np.float32)
    counting(tmp_path / "a.npz", [3, 4], commands=commands)
    data = MotionDataset.load([(tmp_path / "a.npz", 1.0)], num_frames=2, dim=1, with_commands=True)
    assert data.dim == 4
    np.testing.assert_array_equal(data.frames[:, 1:], commands)


def test_a_clip_without_commands_is_given_its_mean_velocity(tmp_path):
    states = np.zeros((4, SPEC.dim), dtype=np.float32)
    features = SPEC.features
    states[:, features["root_lin_vel"]] = [(0.4, 0, 9), (0.6, 0.2, 9), (1, 0, 9), (1, 0, 9)]
    states[:, features["root_ang_vel"]] = [(9, 9, 0.1), (9, 9, 0.3), (9, 9, 0), (9, 9, 0)]
    told = {"joint_names": SPEC.joint_names, "layout": SPEC.layout, "velocity_frame": "heading"}
    motion = Motion(path="a.npz", states=states, clip_lengths=np.array([2, 2]), **told)
    expected = [(0.5, 0.1, 0.2)] * 2 + [(1, 0, 0)] * 2
    np.testing.assert_allclose(motion.frame_commands(), expected, rtol=1e-6)
    for unknown in ({"layout": None}, {"velocity_frame": "world"}):
        with pytest.raises(MotionError, match=r"a.npz: has no commands"):
            Motion(path="a.npz", states=states, clip_lengths=np.array([4]), **{**told, **unknown}).frame_commands()


def test_a_clip_shorter_than_a_window_is_refused(tmp_path):
    counting(tmp_path / "a.npz", [5, 2])
    with pytest.raises(MotionError, match="a clip has 2 frames; a window needs 3"):
        MotionDataset.load([(tmp_path / "a.npz", 1.0)], num_frames=3)


def test_motions_of_different_dimension_are_refused(tmp_path):
    counting(tmp_path / "a.npz", [5])
    np.savez(tmp_path / "b.npz", amp_states=np.zeros((5, 2), dtype=np.float32), dt=0.02)
    with pytest.raises(MotionError, match="same AMP state"):
        MotionDataset.load([(tmp_path / "a.npz", 1.0), (tmp_path / "b.npz", 1.0)], num_frames=2)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(MotionError, match=r"holds no \.npz file"):
        MotionDataset.load([(tmp_path, 1.0)], num_frames=1)


def test_another_dt_is_refused_or_resampled(tmp_path):
    counting(tmp_path / "a.npz", [11, 5], dt=0.01)
    entries = [(tmp_path / "a.npz", 1.0)]
    with pytest.raises(
        MotionError, match=r"its dt is 0.01 s; the environment's time step is 0.02 s: set resample_motions=True"
    ):
        MotionDataset.load(entries, num_frames=2, step_dt=0.02)
    data = MotionDataset.load(entries, num_frames=2, step_dt=0.02, resample=True)
    assert data.frames.squeeze(-1).tolist() == [0, 2, 4, 6, 8, 10, 1000, 1002, 1004]
    data = MotionDataset.load(entries, num_frames=2, step_dt=0.004, resample=True)
    np.testing.assert_allclose(data.frames[:5, 0], [0, 0.4, 0.8, 1.2, 1.6], rtol=1e-6)


def test_resampling_keeps_orientations_of_unit_length(tmp_path):
    states = np.zeros((3, SPEC.dim), dtype=np.float32)
    gravity = SPEC.features["projected_gravity"]
    states[:, gravity] = [(0, 0, -1), (0.6, 0, -0.8), (0, 0, -1)]
    path = tmp_path / "a.npz"
    kwargs = {"joint_names": SPEC.joint_names, "layout": SPEC.layout, "velocity_frame": "heading"}
    save_motion(Motion(path=str(path), states=states, clip_lengths=np.array([3]), dt=0.02, **kwargs))
    data = MotionDataset.load([(path, 1.0)], num_frames=1, step_dt=0.01, resample=True, spec=SPEC)
    np.testing.assert_allclose(data.frames[:, gravity].norm(dim=1), 1.0, rtol=1e-6)


def test_a_missing_dt_is_assumed_with_a_warning(tmp_path, caplog):
    np.savez(tmp_path / "a.npz", amp_states=np.zeros((5, 2), dtype=np.float32))
    MotionDataset.load([(tmp_path / "a.npz", 1.0)], num_frames=1, step_dt=0.02)
    assert "has no 'dt'; assuming 0.02 s, as in the environment" in caplog.text


def test_a_missing_velocity_frame_is_assumed_with_a_warning(tmp_path, caplog):
    path = tmp_path / "a.npz"
    told = {"joint_names": SPEC.joint_names, "layout": SPEC.layout, "dt": 0.02}
    save_motion(Motion(path=str(path), states=np.zeros((5, SPEC.dim), np.float32), clip_lengths=np.array([5]), **told))
    MotionDataset.load([(path, 1.0)], num_frames=1, spec=SPEC)
    assert "a.npz has no 'velocity_frame'; assuming the environment's, heading" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"joint_names": ("b", "a")}, "joint_names is [b, a]; the environment has [a, b]: reorder"),
        ({"joint_names": ("a",)}, "joint_names is [a]; the environment has [a, b]"),
        ({"velocity_frame": "world"}, "velocity_frame is [world]; the environment has [heading]"),
        ({"layout": ("root_height", "joint_pos")}, "layout is [root_height, joint_pos]"),
        ({"states": np.zeros((5, 3), dtype=np.float32)}, "has 3 numbers a frame; the environment's 'amp' group has 14"),
    ],
)
def test_a_clip_that_does_not_fit_the_environment_is_refused(tmp_path, changes, words):
    values = {
        "states": np.zeros((5, SPEC.dim), dtype=np.float32),
        "joint_names": SPEC.joint_names,
        "layout": SPEC.layout,
        "velocity_frame": "heading",
    }
    path = tmp_path / "a.npz"
    save_motion(Motion(path=str(path), clip_lengths=np.array([5]), dt=0.02, **{**values, **changes}))
    with pytest.raises(MotionError) as error:
        MotionDataset.load([(path, 1.0)], num_frames=2, spec=SPEC)
    assert words in str(error.value)


def test_without_an_environments_dt_that_of_the_first_clip_that_says_it_is_everyones(tmp_path):
    np.savez(tmp_path / "a.npz", amp_states=np.zeros((5, 1), dtype=np.float32))
    counting(tmp_path / "b.npz", [5], dt=0.02)
    entries = [(tmp_path / "a.npz", 1.0), (tmp_path / "b.npz", 1.0)]
    assert MotionDataset.load(entries, num_frames=1).dt == 0.02
    counting(tmp_path / "c.npz", [5], dt=0.01)
    with pytest.raises(MotionError, match=r"c.npz: its dt is 0.01 s; the environment's time step is 0.02 s"):
        MotionDataset.load([*entries, (tmp_path / "c.npz", 1.0)], num_frames=1)
