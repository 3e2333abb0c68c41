"""Every kind of bad clip file gets an error that names the file and what is wrong with it."""

import contextlib
import os
import zipfile

import numpy as np
import pytest

from amp_runner import Motion, MotionError, load_motion, save_motion

STATES = np.arange(40, dtype=np.float32).reshape(10, 4)


class Evil:
    """Would create a file if it were ever unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_file_with_only_amp_states_is_enough(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, amp_states=STATES)
    motion = load_motion(path)
    np.testing.assert_array_equal(motion.states, STATES)
    assert motion.clip_lengths.tolist() == [10]
    assert motion.dt is None and motion.joint_names is None and motion.commands is None


def test_everything_survives_a_round_trip(tmp_path):
    motion = Motion(
        path=str(tmp_path / "clip.npz"),
        states=STATES,
        clip_lengths=np.array([4, 6]),
        dt=0.02,
        joint_names=("a", "b"),
        layout=("x", "y"),
        velocity_frame="heading",
        commands=np.ones((10, 3), dtype=np.float32),
        source="here",
        licence="BSD-3-Clause",
    )
    save_motion(motion)
    loaded = load_motion(motion.path)
    for name in ("dt", "joint_names", "layout", "velocity_frame", "source", "licence"):
        assert getattr(loaded, name) == getattr(motion, name)
    np.testing.assert_array_equal(loaded.commands, motion.commands)
    assert [len(c) for c in loaded.clips()] == [4, 6]
    save_motion(motion)
    assert load_motion(motion.path).sha256 == loaded.sha256, "the same contents give the same bytes"


def test_double_precision_and_foreign_byte_order_are_converted(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez(path, amp_states=STATES.astype(">f8"))
    loaded = load_motion(path).states
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, STATES)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"states": STATES}, "no array 'amp_states'; found states"),
        ({"amp_states": STATES[0]}, "shape (4,)"),
        ({"amp_states": STATES[None]}, "shape (1, 10, 4)"),
        ({"amp_states": STATES[:0]}, "is empty"),
        ({"amp_states": STATES.astype(int)}, "dtype int64"),
        ({"amp_states": STATES.astype(str)}, "expected floating point"),
        ({"amp_states": STATES.astype(complex)}, "dtype complex128"),
        ({"amp_states": np.where(STATES == 5, np.nan, STATES)}, "first in frame 1, column 1"),
        ({"amp_states": np.where(STATES == 5, np.inf, STATES)}, "NaN, infinite or beyond"),
        ({"amp_states": np.where(STATES == 5, 1e25, STATES)}, "frame 1, column 1: 1e+25"),
        ({"amp_states": STATES, "dt": 1e300}, "at most 1"),
        ({"amp_states": STATES, "dt": np.zeros(100_000)}, "'dt' is float64 of shape (100000,)"),
        ({"amp_states": STATES, "clip_lengths": [2**62] * 4 + [10]}, "sum to the 10 frames"),
        ({"amp_states": STATES, "joint_names": ["x"] * 1001}, "a list of strings, at most 1000"),
        ({"amp_states": STATES, "format_version": 2}, "'format_version' is 2; this amp_runner reads up to 1"),
        ({"amp_states": STATES, "dt": 0.0}, "'dt' is 0.0"),
        ({"amp_states": STATES, "dt": np.nan}, "'dt' is nan"),
        ({"amp_states": STATES, "dt": [0.02, 0.02]}, "one positive number"),
        ({"amp_states": STATES, "dt": "fast"}, "one positive number"),
        ({"amp_states": STATES, "clip_lengths": [4, 5]}, "sum to the 10 frames"),
        ({"amp_states": STATES, "clip_lengths": [-1, 11]}, "positive whole numbers"),
        ({"amp_states": STATES, "clip_lengths": [5.0, 5.0]}, "positive whole numbers"),
        ({"amp_states": STATES, "commands": STATES}, "'commands' has shape (10, 4); expected (10, 3)"),
        ({"amp_states": STATES, "joint_names": "left"}, "expected a list of strings"),
        ({"amp_states": STATES, "velocity_frame": [1]}, "expected one string"),
    ],
)
def test_wrong_contents(tmp_path, arrays, words):
    path = tmp_path / "clip.npz"
    np.savez(path, **arrays)
    with pytest.raises(MotionError) as error:
        load_motion(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "the file is empty"), (b"hello", "not an .npz file"), (b"PK\x03\x04garbage", "truncated or damaged")],
)
def test_wrong_bytes(tmp_path, content, words):
    path = tmp_path / "clip.npz"
    path.write_bytes(content)
    with pytest.raises(MotionError, match=words):
        load_motion(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(MotionError, match="no such file"):
        load_motion(tmp_path / "none.npz")
    with pytest.raises(MotionError, match="is a folder"):
        load_motion(tmp_path)


def test_truncated_anywhere(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez_compressed(path, amp_states=np.random.default_rng(0).normal(size=(100, 4)))
    content = path.read_bytes()
    for size in range(1, len(content), 97):
        path.write_bytes(content[:size])
        with pytest.raises(MotionError):
            load_motion(path)


def test_flipped_bytes_never_raise_anything_else(tmp_path):
    path = tmp_path / "clip.npz"
    np.savez_compressed(path, amp_states=STATES, dt=0.02)
    content = bytearray(path.read_bytes())
    for position in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        path.write_bytes(bytes(damaged))
        with contextlib.suppress(MotionError):
            load_motion(path)


def test_pickles_are_refused_and_not_run(tmp_path):
    path, trap = tmp_path / "clip.npz", tmp_path / "trap"
    np.savez(path, amp_states=np.array([Evil(trap)], dtype=object))
    with pytest.raises(MotionError, match="pickled Python objects, which are never loaded"):
        load_motion(path)
    np.save(tmp_path / "clip.npy", np.array([Evil(trap)], dtype=object), allow_pickle=True)
    with pytest.raises(MotionError, match="not an"):
        load_motion(tmp_path / "clip.npy")
    assert not trap.exists()


def test_a_header_that_declares_more_than_the_file_holds_is_refused(tmp_path):
    declared_array(tmp_path / "clip.npz", "(4000000000, 22)", b"")
    with pytest.raises(MotionError, match="'amp_states' is damaged"):
        load_motion(tmp_path / "clip.npz")
    declared_array(tmp_path / "clip.npz", "(-1, 22)", bytes(880))
    with pytest.raises(MotionError, match="'amp_states' is damaged"):
        load_motion(tmp_path / "clip.npz")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    declared_array(tmp_path / "clip.npz", f"({100 * 2**20},)", bytes(100 * 2**20))
    with pytest.raises(MotionError, match=r"unpacks from 0\.1 to 100 MiB; the limit is 64 MiB"):
        load_motion(tmp_path / "clip.npz")


@pytest.mark.parametrize("states", [np.zeros(5), np.zeros((2, 3, 4))])
def test_states_that_are_no_table_are_refused(tmp_path, states):
    np.savez(tmp_path / "clip.npz", amp_states=states.astype(np.float32))
    with pytest.raises(MotionError, match=r"'amp_states' has shape \(.*\); expected \(frames, features\)"):
        load_motion(tmp_path / "clip.npz")


def declared_array(path, shape, data):
    """An .npz whose array ``amp_states`` declares a shape, whatever its data."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
        archive.writestr("amp_states.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data)


def test_a_device_is_not_read():
    with pytest.raises(MotionError, match="Not a regular file"):
        load_motion("/dev/zero")


def test_a_loaded_clip_can_be_changed_without_changing_what_is_loaded_next(tmp_path):
    np.savez(tmp_path / "clip.npz", amp_states=STATES)
    load_motion(tmp_path / "clip.npz").states[:] = 9.0
    np.testing.assert_array_equal(load_motion(tmp_path / "clip.npz").states, STATES)
    np.savez(tmp_path / "clip.npz", amp_states=STATES + 1)
    np.testing.assert_array_equal(load_motion(tmp_path / "clip.npz").states, STATES + 1)


def test_strings_in_another_encoding_are_read_with_replacements(tmp_path):
    np.savez(tmp_path / "clip.npz", amp_states=STATES, source=np.array("Z\u00fcrich".encode("latin-1")))
    assert load_motion(tmp_path / "clip.npz").source == "Z\ufffdrich"


@pytest.mark.parametrize("order", ["<", ">"])
def test_strings_of_impossible_characters_are_refused(tmp_path, order):
    text = np.array([0x7FFFFFFF], dtype=f"{order}u4").view(f"{order}U1")
    np.savez(tmp_path / "clip.npz", amp_states=STATES, joint_names=text)
    with pytest.raises(MotionError, match=r"'joint_names' is damaged \(no text\)"):
        load_motion(tmp_path / "clip.npz")


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "clip.npz"
    with path.open("wb") as stream:
        stream.truncate(10 * 2**40)  # sparse: takes no room
    with pytest.raises(MotionError, match=r"has 10240.0 GiB; the limit is 2 GiB"):
        load_motion(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "clip.npz"
    motion = Motion(path=str(path), states=STATES, clip_lengths=np.array([10]))
    save_motion(motion)

    def full(stream, **arrays):
        stream.write(b"half of")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        save_motion(motion)
    np.testing.assert_array_equal(load_motion(path).states, STATES)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.npz"]
