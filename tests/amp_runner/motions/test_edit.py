import numpy as np
import pytest

from amp_runner import AMPStateSpec, Motion, MotionError
from amp_runner.motions.edit import concat_motions, cut_motion, mirror_motion, resample_motion
from ostrich_env.gait.walk import ostrich_spec, walking_clip

SPEC = AMPStateSpec(("left", "right"))


def motion(states, lengths, spec=SPEC, **kwargs):
    states = np.asarray(states, dtype=np.float32)
    told = {"joint_names": spec.joint_names, "layout": spec.layout, "velocity_frame": spec.velocity_frame, "dt": 0.02}
    return Motion(path="a.npz", states=states, clip_lengths=np.array(lengths), **{**told, **kwargs})


def counting(lengths, **kwargs):
    """Every number of a frame is the frame's index in its clip plus 100 times the clip's."""
    numbers = np.concatenate([100 * clip + np.arange(n) for clip, n in enumerate(lengths)])
    states = np.repeat(numbers[:, None], SPEC.dim, axis=1)
    return motion(states, lengths, commands=states[:, :3].astype(np.float32), **kwargs)


def test_cutting_keeps_times_and_clips():
    cut = cut_motion(counting([10, 20, 5]), start=0.04, end=0.12, clips=[0, 1])
    assert cut.clip_lengths.tolist() == [4, 4]
    assert cut.states[:, 0].tolist() == [2, 3, 4, 5, 102, 103, 104, 105]
    assert cut.commands[:, 0].tolist() == cut.states[:, 0].tolist()


def test_clips_that_end_before_the_part_are_dropped():
    assert cut_motion(counting([10, 3]), start=0.1).clip_lengths.tolist() == [5]
    with pytest.raises(MotionError, match="no frame between 1 s and its end"):
        cut_motion(counting([10, 3]), start=1.0)
    with pytest.raises(MotionError, match="no clip 2; it has clips 0 to 1"):
        cut_motion(counting([10, 3]), clips=[2])
    with pytest.raises(MotionError, match="has no 'dt'"):
        cut_motion(counting([3], dt=None))


def test_joined_motions_keep_their_clips():
    joined = concat_motions([counting([3, 2], source="one"), counting([4], source="two")])
    assert joined.clip_lengths.tolist() == [3, 2, 4]
    assert joined.states[:, 0].tolist() == [0, 1, 2, 100, 101, 0, 1, 2, 3]
    assert joined.source == "one + two"
    with pytest.raises(MotionError, match=r"dt is 0.01; a.npz has 0.02: convert one of them first"):
        concat_motions([counting([3]), counting([3], dt=0.01)])


def test_what_a_file_says_of_itself_is_blamed_on_the_file():
    with pytest.raises(MotionError, match=r"a.npz: AMP state: velocity_frame is 'bodyy'"):
        _ = counting([3], velocity_frame="bodyy").spec
    with pytest.raises(MotionError, match=r"a.npz: does not describe its columns"):
        _ = counting([3], layout=None).spec


def test_a_mirrored_clip_is_valid_and_twice_is_the_identity():
    spec = ostrich_spec()
    states = walking_clip(np.array([0.5, 0.2, 0.3]), 1.0, 0.02, spec)
    clip = motion(states, [50], spec, commands=np.tile(np.float32([0.5, 0.2, 0.3]), (50, 1)))
    mirrored = mirror_motion(clip, *clip.spec.mirror(".*roll.*"))
    assert mirrored.commands[0].tolist() == pytest.approx([0.5, -0.2, -0.3])
    assert mirrored.states[:, spec.features["root_lin_vel"]][:, 1].mean() == pytest.approx(-0.2, abs=0.03)
    twice = mirror_motion(mirrored, *clip.spec.mirror(".*roll.*"))
    assert np.array_equal(twice.states, clip.states) and np.array_equal(twice.commands, clip.commands)


def test_quaternions_are_resampled_along_the_shorter_way():
    """Half way between yaws of 170 and -170 degrees is 180, not 0; w >= 0 makes neighbours look opposite there."""
    spec = AMPStateSpec(("left", "right"), orientation="quaternion")
    states = np.zeros((2, spec.dim))
    half = np.radians([85.0, -85.0])
    states[:, spec.features["root_quat_xyzw"]] = np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], axis=1)
    resampled = resample_motion(motion(states, [2], spec), 0.01)
    np.testing.assert_allclose(np.abs(resampled.states[1, spec.features["root_quat_xyzw"]]), [0, 0, 1, 0], atol=1e-6)


def test_gravity_is_resampled_along_a_great_circle():
    states = np.zeros((2, SPEC.dim))
    states[:, SPEC.features["projected_gravity"]] = [(0, 0, -1), (1, 0, 0)]
    resampled = resample_motion(motion(states, [2]), 0.02 / 3)
    expected = [(np.sin(a), 0, -np.cos(a)) for a in np.radians([0, 30, 60, 90])]
    np.testing.assert_allclose(resampled.states[:, SPEC.features["projected_gravity"]], expected, atol=1e-6)


def test_a_layout_that_does_not_fit_is_refused():
    with pytest.raises(MotionError, match="does not describe its columns"):
        _ = counting([3], layout=None).spec
    with pytest.raises(MotionError, match=r"which are 14 numbers; .amp_states. has 13"):
        _ = motion(np.zeros((3, 13)), [3]).spec


def test_orientations_that_are_none_are_not_resampled():
    states = np.ones((4, SPEC.dim))
    states[2, SPEC.features["projected_gravity"]] = 0
    with pytest.raises(MotionError, match="columns 1 to 3 of frame 2 have the length 0; expected a unit vector"):
        resample_motion(motion(states, [4]), 0.01)
