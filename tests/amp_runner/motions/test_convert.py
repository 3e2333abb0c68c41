"""Every reader on a file written by a small independent generator, whose motion is known in closed form."""

import csv
import json
import os
import pickle

import numpy as np
import pytest
import torch
from numpy._core.multiarray import _reconstruct
from scipy.spatial.transform import Rotation

from amp_runner import AMPStateSpec, MotionError, amp_state
from amp_runner.motions.convert import ReadOptions, Trajectory, map_joints, read_trajectory, to_motion
from amp_runner.motions.convert.joint_map import read_joint_map
from amp_runner.motions.convert.safe_pickle import load_plain_pickle
from amp_runner.motions.convert.trajectory import BodyPositions, to_xyzw

NAMES = ("left_hip", "left_knee", "right_hip", "right_knee")
FPS, FRAMES = 100, 200
TIME = np.arange(FRAMES) / FPS
ROOT_POS = np.stack([0.5 * TIME, 0.1 * np.sin(3 * TIME), 0.6 + 0.02 * np.cos(8 * TIME)], axis=1)
ROLL = 0.1 * np.sin(4 * TIME)
ROTATION = Rotation.from_euler("z", 0.6 * TIME[:, None]) * Rotation.from_euler("x", ROLL[:, None])
XYZW = ROTATION.as_quat()
WXYZ = ROTATION.as_quat(scalar_first=True)
PHASES = np.array([0.0, 0.5, 3.1, 3.6])
JOINT_POS = 0.4 * np.sin(6 * TIME[:, None] + PHASES)
SPEC = AMPStateSpec(NAMES)


def expected_states():
    """The AMP states by the derivatives on paper."""
    linear = np.stack([np.full(FRAMES, 0.5), 0.3 * np.cos(3 * TIME), -0.16 * np.sin(8 * TIME)], axis=1)
    # Yaw turns about the world's z axis, roll about the heading's x axis.
    heading = Rotation.from_euler("z", 0.6 * TIME[:, None])
    angular = np.array([0, 0, 0.6]) + heading.apply(0.4 * np.cos(4 * TIME)[:, None] * [1.0, 0, 0])
    joint_vel = 2.4 * np.cos(6 * TIME[:, None] + PHASES)
    columns = (ROOT_POS[:, 2], XYZW, JOINT_POS, linear, angular, joint_vel)
    return amp_state(*(torch.from_numpy(column) for column in columns)).numpy()


def write_poses(path):
    np.savez(path, root_pos=ROOT_POS, root_quat=WXYZ, joint_pos=JOINT_POS, joint_names=NAMES, fps=FPS)


def write_isaaclab(path):
    bodies = np.stack([ROOT_POS + 1, ROOT_POS], axis=1)
    rotations = np.stack([np.tile([1.0, 0, 0, 0], (FRAMES, 1)), WXYZ], axis=1)
    np.savez(
        path, fps=FPS, dof_names=NAMES, body_names=("world_thing", "pelvis"), dof_positions=JOINT_POS,
        body_positions=bodies, body_rotations=rotations,
    )  # fmt: skip


def write_tracking(path):
    np.savez(path, fps=[FPS], joint_pos=JOINT_POS, body_pos_w=ROOT_POS[:, None], body_quat_w=WXYZ[:, None])


def write_csv(path):
    with open(path, "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["x", "y", "z", "qx", "qy", "qz", "qw", *NAMES])
        writer.writerows(np.hstack([ROOT_POS, XYZW, JOINT_POS]).tolist())


def write_bare_csv(path):
    np.savetxt(path, np.hstack([ROOT_POS, WXYZ, JOINT_POS]), delimiter=",", fmt="%.9f")


def write_amp_rsl_rl(path):
    data = {"joints_list": list(NAMES), "joint_positions": list(JOINT_POS), "root_position": list(ROOT_POS)}
    np.save(path, {**data, "root_quaternion": list(XYZW), "fps": FPS}, allow_pickle=True)


def write_legged_gym(path):
    extra = np.zeros((FRAMES, 12))  # feet, which are not needed
    frames = np.hstack([ROOT_POS, XYZW, JOINT_POS, extra]).tolist()
    path.write_text(json.dumps({"LoopMode": "Wrap", "FrameDuration": 1 / FPS, "MotionWeight": 1.0, "Frames": frames}))


@pytest.mark.parametrize(
    ("name", "write", "hints"),
    [
        ("a.npz", write_poses, ReadOptions()),
        ("a.npz", write_isaaclab, ReadOptions(root_body="pelvis")),
        ("a.npz", write_tracking, ReadOptions(joint_names=NAMES)),
        ("a.csv", write_csv, ReadOptions(fps=FPS)),
        ("a.csv", write_bare_csv, ReadOptions(joint_names=NAMES, fps=FPS)),
        ("a.npy", write_amp_rsl_rl, ReadOptions()),
        ("a.txt", write_legged_gym, ReadOptions(joint_names=NAMES)),
    ],
)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_every_kind_of_file_gives_the_states_on_paper(tmp_path, name, write, hints, smoothing):
    write(tmp_path / name)
    trajectory = read_trajectory(str(tmp_path / name), None, hints)
    motion = to_motion(trajectory, SPEC, "out.npz", smoothing=smoothing)
    assert motion.dt == pytest.approx(0.01) and motion.joint_names == NAMES
    inner = slice(10, -10)
    np.testing.assert_allclose(motion.states[inner], expected_states()[inner], atol=5e-3)


def test_resampling_while_converting(tmp_path):
    write_poses(tmp_path / "a.npz")
    motion = to_motion(read_trajectory(str(tmp_path / "a.npz")), SPEC, "out.npz", dt=0.02)
    assert len(motion.states) == FRAMES // 2
    np.testing.assert_allclose(motion.states[10:-10], expected_states()[::2][10:-10], atol=5e-3)


def test_noise_is_smoothed_out_of_velocities(tmp_path):
    noisy = JOINT_POS + np.random.default_rng(0).normal(scale=1e-3, size=JOINT_POS.shape)
    trajectory = Trajectory("a", ROOT_POS, XYZW, noisy, NAMES, 1 / FPS)
    expected = expected_states()[:, SPEC.features["joint_vel"]]
    errors = [
        np.std(to_motion(trajectory, SPEC, "o", smoothing=s).states[:, SPEC.features["joint_vel"]] - expected)
        for s in (0.0, 0.1)
    ]
    assert errors[1] < 0.6 * errors[0]


def test_the_order_of_quaternions_is_detected_and_told():
    found, note = to_xyzw("a", WXYZ, "auto")
    np.testing.assert_array_equal(found, XYZW)
    assert "detected as wxyz" in note
    turning = Rotation.from_euler("z", np.linspace(0, 6, 50)[:, None]) * Rotation.from_euler("x", 0.1)
    assert "detected as xyzw" in to_xyzw("a", turning.as_quat() * 1.0, "auto")[1]
    with pytest.raises(MotionError, match="choose one with --quat"):
        to_xyzw("a", np.tile([0.0, 0.0, 0.0, 1.0], (5, 1)), "auto")
    rolled = Rotation.from_euler("x", [[0.1], [-0.1]]).as_quat(scalar_first=True)
    assert "but as wxyz the robot would be upright" in to_xyzw("a", rolled, "xyzw")[1]


def test_frames_that_were_copied_are_kept_once(tmp_path):
    arrays = {"root_pos": ROOT_POS, "root_quat": XYZW, "joint_pos": JOINT_POS}
    copied = {name: np.repeat(array, 3, axis=0) for name, array in arrays.items()}
    np.savez(tmp_path / "a.npz", **copied, joint_names=NAMES, fps=3 * FPS)
    trajectory = read_trajectory(str(tmp_path / "a.npz"), options=ReadOptions(quat="xyzw"))
    assert trajectory.dt == pytest.approx(1 / FPS) and "stored 3 times" in trajectory.note
    np.testing.assert_array_equal(trajectory.joint_pos, JOINT_POS)


def test_joints_are_mapped_by_name(tmp_path):
    trajectory = Trajectory("a", ROOT_POS, XYZW, JOINT_POS, ("a", "b", "c", "d"), 1 / FPS)
    mapping = {"hip": "c", "knee": {"from": "a", "sign": -1, "offset": 0.1}}
    mapped = map_joints(trajectory, ("hip", "knee", "b"), mapping)
    np.testing.assert_allclose(mapped.joint_pos, np.stack([JOINT_POS[:, 2], 0.1 - JOINT_POS[:, 0], JOINT_POS[:, 1]], axis=1))
    with pytest.raises(MotionError, match="no joint 'knee' for 'knee'; it has a, b, c, d"):
        map_joints(trajectory, ("knee",))
    with pytest.raises(MotionError, match="expected a name, or from, sign"):
        map_joints(trajectory, ("hip",), {"hip": {"from": "a", "scale": 2}})
    for offset in ("0.1", float("nan"), {}, 1e6):
        with pytest.raises(MotionError, match=r"the offset of 'hip' is .*; expected a number of radians"):
            map_joints(trajectory, ("hip",), {"hip": {"from": "a", "offset": offset}})
    (tmp_path / "map.yaml").write_text("hip: c\nknee: {from: a, sign: -1, offset: 0.1}\n")
    assert read_joint_map(tmp_path / "map.yaml") == mapping
    (tmp_path / "bad.yaml").write_text("- hip\n")
    with pytest.raises(MotionError, match="holds list; expected lines such as"):
        read_joint_map(tmp_path / "bad.yaml")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def test_nothing_in_a_pickle_is_executed(tmp_path):
    trap = str(tmp_path / "trap")
    evil = {"joints_list": list(NAMES), "joint_positions": Trap(trap)}
    np.save(tmp_path / "evil.npy", evil, allow_pickle=True)
    with pytest.raises(MotionError, match=r"needs posix.mkdir, which is neither a NumPy array nor a plain container"):
        read_trajectory(str(tmp_path / "evil.npy"))
    assert not os.path.exists(trap)


def test_lists_that_would_fill_the_memory_are_refused(tmp_path):
    row = [0.0] * 10_000
    bomb = {"joints_list": list(NAMES), "joint_positions": [row] * 100_000, "root_quaternion": [], "fps": 1}
    (tmp_path / "bomb.npy").write_bytes(pickle.dumps(bomb))
    with pytest.raises(MotionError, match="100000 rows of 10000 are more than a motion"):
        read_trajectory(str(tmp_path / "bomb.npy"))
    deep = [[row] * 1000] * 1000
    (tmp_path / "deep.npy").write_bytes(pickle.dumps({"root_quaternion": [], "joint_positions": deep}))
    with pytest.raises(MotionError, match="a row holds more than numbers"):
        read_trajectory(str(tmp_path / "deep.npy"))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"x,y\n1,2\n", "expected columns x, y, z"),
        ("a.csv", b"1,2,three\n", "not a table of numbers"),
        ("a.csv", b'"' + b"1" * 200_000 + b'"\n', "not a table of numbers"),
        (
            "a.csv",
            b"time,x,y,z,qw,qx,qy,qz,j1\n" + b"0,0,0,1,1,0,0,0,0\n",
            "its first column is 'time'; expected the root's x",
        ),
        ("a.txt", b"{}", "expected 'FrameDuration' and 'Frames'"),
        ("a.txt", b"not json", "not a motion in JSON"),
        ("a.txt", b"[" * 100_000, "not a motion in JSON"),
        ("a.npy", b"garbage", "not loaded"),
        ("a.npz", b"garbage", "not an .npz file"),
        ("a.bvh", b"HIERARCHY", "unknown kind of file"),
    ],
)
def test_broken_files_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MotionError) as error:
        read_trajectory(str(tmp_path / name), None, ReadOptions(fps=50, joint_names=NAMES))
    assert words in str(error.value)


def test_a_bare_array_does_not_say_what_it_is(tmp_path):
    np.save(tmp_path / "a.npy", ROOT_POS)
    with pytest.raises(MotionError, match="expected an array"):
        read_trajectory(str(tmp_path / "a.npy"), None, ReadOptions(fps=50, joint_names=NAMES))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fps": None}, "has no frame rate; pass it with --fps"),
        ({"fps": 0}, "its frame rate is 0; expected a positive number"),
        ({"root_quat": 2 * XYZW}, "have norms from 2.000 to 2.000; expected 1"),
        ({"root_pos": ROOT_POS[:, :2]}, "root positions have shape (200, 2); expected (200, 3)"),
        ({"joint_pos": np.where(JOINT_POS > 0.39, np.nan, JOINT_POS)}, "joint positions hold NaN"),
        ({"joint_pos": None}, "no array 'joint_pos'; found fps, joint_names, root_pos, root_quat"),
    ],
)
def test_missing_or_wrong_arrays_are_named(tmp_path, changes, words):
    arrays = {"root_pos": ROOT_POS, "root_quat": XYZW, "joint_pos": JOINT_POS, "joint_names": NAMES, "fps": FPS}
    np.savez(tmp_path / "a.npz", **{k: v for k, v in {**arrays, **changes}.items() if v is not None})
    with pytest.raises(MotionError) as error:
        read_trajectory(str(tmp_path / "a.npz"), options=ReadOptions(quat="xyzw"))
    assert words in str(error.value)


def test_a_file_that_is_not_of_the_kind_that_was_said_is_refused(tmp_path):
    write_poses(tmp_path / "a.npz")
    for kind, name in (("isaaclab", "body_names"), ("tracking", "body_pos_w")):
        with pytest.raises(MotionError, match=f"no array '{name}'; found fps"):
            read_trajectory(str(tmp_path / "a.npz"), kind)


def test_isaac_labs_own_clips_are_converted_whole(tmp_path):
    tasks = pytest.importorskip("isaaclab_tasks", reason="Isaac Lab comes with the 'sim' extra")
    from pathlib import Path

    files = sorted((Path(tasks.__file__).parent / "contrib" / "humanoid_amp" / "motions").glob("*.npz"))
    assert len(files) == 3
    for file in files:
        stored = np.load(file)
        trajectory = read_trajectory(str(file))
        # These files hold 30 frames a second, each stored twice; their velocities are 0 and twice the true ones in turn.
        assert "every frame is stored 2 times: kept one of each, 30 per second" in trajectory.note
        motion = to_motion(trajectory, AMPStateSpec(trajectory.joint_names), "o", smoothing=0.0)
        features = AMPStateSpec(trajectory.joint_names).features
        np.testing.assert_allclose(motion.states[:, features["joint_pos"]], stored["dof_positions"][::2], atol=1e-5)
        pairs = stored["dof_velocities"][: 2 * len(motion.states)].reshape(len(motion.states), 2, -1).mean(axis=1)
        correlation = np.corrcoef(motion.states[:, features["joint_vel"]].ravel(), pairs.ravel())[0, 1]
        assert correlation > 0.9


class Lying:
    """Pickles as an array whose parts do not fit together."""

    def __init__(self, shape, dtype, data, dtype_state=None):
        self.parts = shape, dtype, data, dtype_state

    def __reduce__(self):
        shape, dtype, data, _ = self.parts
        return (_reconstruct, (np.ndarray, (0,), b"b"), (1, shape, dtype, False, data))


class LyingType:
    """Pickles as the type of Python objects, with flags that deny it."""

    def __reduce__(self):
        return (np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))


class Structured:
    def __reduce__(self):
        return (np.dtype, ("O,f8", False, True))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Lying((3_000_000,), np.dtype("O"), [1]), r"shape \(3000000,\) holds another number of objects"),
        (Lying((-1, -1), np.dtype("f8"), bytes(8)), r"declares an array of shape \(-1, -1\)"),
        (Lying((1,), LyingType(), bytes(8)), "holds another number of objects"),
        (Lying((1,), Structured(), bytes(16)), "expected plain numbers, strings or containers"),
        (Lying((100,), np.dtype("f8"), bytes(8)), "not loaded"),
    ],
)
def test_arrays_that_lie_about_their_memory_are_refused(tmp_path, value, words):
    (tmp_path / "evil.npy").write_bytes(pickle.dumps({"joints_list": list(NAMES), "joint_positions": value}))
    with pytest.raises(MotionError, match=words):
        read_trajectory(str(tmp_path / "evil.npy"))


def test_a_pickle_that_numbers_its_objects_from_a_billion_is_refused(tmp_path):
    """The unpickler allocates room for every number below."""
    number = pickle.LONG_BINPUT + (10**9).to_bytes(4, "little")
    (tmp_path / "evil.npy").write_bytes(pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + number + pickle.STOP)
    with pytest.raises(MotionError, match="declares object number 1000000000 in a file of 9 bytes"):
        load_plain_pickle(str(tmp_path / "evil.npy"))


def test_orientations_of_three_numbers_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", root_pos=ROOT_POS, root_quat=ROOT_POS, joint_pos=JOINT_POS, joint_names=NAMES, fps=FPS)
    with pytest.raises(MotionError, match=r"root orientations have shape \(200, 3\); expected \(frames, 4\)"):
        read_trajectory(str(tmp_path / "a.npz"))


def test_body_positions_have_the_frames_of_the_root():
    with pytest.raises(MotionError, match=r"body positions have shape \(7, 2, 3\); expected \(200, 2, 3\)"):
        Trajectory("a", ROOT_POS, XYZW, JOINT_POS, NAMES, 0.01, bodies=BodyPositions(None, np.zeros((7, 2, 3))))


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_arrays_of_python_3s_protocols_and_either_byte_order_are_read(tmp_path, protocol):
    values = {"a": np.arange(6, dtype=">f4").reshape(2, 3).T, "b": np.array(["x", "yz"]), "c": np.float64(0.5), "d": [1, 2]}
    (tmp_path / "a.npy").write_bytes(pickle.dumps(values, protocol=protocol))
    found = load_plain_pickle(str(tmp_path / "a.npy"))
    for name, value in values.items():
        assert np.array_equal(found[name], value), name
