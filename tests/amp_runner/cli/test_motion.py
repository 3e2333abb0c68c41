"""``amp-motion`` as a user types it."""

import os
import subprocess
import sys

import imageio.v3
import matplotlib.image
import numpy as np
import pytest

from amp_runner import load_motion
from amp_runner.cli.motion import main
from amp_runner.cli.motion_convert import KINDS
from amp_runner.motions.convert import READERS
from tests.conftest import REPOSITORY

WALK = str(REPOSITORY / "motions" / "walk.npz")


def test_every_reader_can_be_chosen():
    assert sorted(READERS) == sorted(KINDS)


def test_clips_are_cut_mirrored_resampled_joined_and_checked(tmp_path, capsys):
    one, other, both, fine = (str(tmp_path / f"{name}.npz") for name in ("one", "other", "both", "fine"))
    assert main(["cut", WALK, "--clips", "20", "--end", "2", "-o", one]) == 0
    assert main(["mirror", one, "-o", other]) == 0
    assert main(["concat", one, other, "-o", both]) == 0
    assert main(["resample", both, "--dt", "0.01", "-o", fine]) == 0
    assert main(["check", one, other, both, fine, "--max_joint_speed", "22"]) == 0
    assert capsys.readouterr().out.count("ok: ") == 4
    motion = load_motion(fine)
    assert motion.clip_lengths.tolist() == [199, 199] and motion.dt == 0.01
    assert "mirrored" in load_motion(other).source


def test_info_tells_what_is_in_a_file(capsys, tmp_path):
    assert main(["info", WALK]) == 0
    text = capsys.readouterr().out
    for part in ("67 clips, 10050 frames of 22 numbers, 201.0 s at 50 Hz", "velocity_frame: heading", "55 more; --all"):
        assert part in text
    np.savez(tmp_path / "bare.npz", amp_states=np.zeros((5, 3), dtype=np.float32))
    assert main(["info", str(tmp_path / "bare.npz")]) == 0
    assert "dt unknown" in capsys.readouterr().out


def test_check_fails_with_a_line_for_each_defect(tmp_path, capsys):
    arrays = dict(np.load(WALK))
    arrays["amp_states"] = arrays["amp_states"].copy()
    arrays["amp_states"][:, 0] -= 0.05
    np.savez(tmp_path / "low.npz", **arrays)
    (tmp_path / "broken.npz").write_bytes(b"PK")
    assert main(["check", str(tmp_path / "low.npz"), str(tmp_path / "broken.npz"), "none.npz"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any("mm in the ground" in line for line in lines)
    assert any("broken.npz: a truncated or damaged .npz file" in line for line in lines)
    assert any("none.npz: no such file" in line for line in lines)


def test_a_plot_is_a_picture(tmp_path):
    assert main(["plot", WALK, "--clip", "20", "-o", str(tmp_path / "plot.png")]) == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_foreign_file_is_converted(tmp_path, capsys):
    time = np.arange(100)[:, None] / 50
    columns = [
        0.3 * time,
        0 * time,
        0.2 + 0 * time,
        0 * time,
        0 * time,
        np.sin(0.5 * time),
        np.cos(0.5 * time),
        np.sin(time),
    ]
    (tmp_path / "a.csv").write_text("x,y,z,qx,qy,qz,qw,knee\n" + "\n".join(map(",".join, np.hstack(columns).astype(str))))
    out = str(tmp_path / "clip.npz")
    assert main(["convert", str(tmp_path / "a.csv"), "--fps", "50", "-o", out]) == 0
    assert "quaternions read as xyzw" in capsys.readouterr().out
    motion = load_motion(out)
    assert motion.joint_names == ("knee",) and motion.states.shape == (100, 12)
    assert motion.states[50, 10] == pytest.approx(1.0, abs=1e-3), "it turns by 1 rad/s about z"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cut", WALK, "--clips", "99", "-o", "a.npz"], "no clip 99; it has clips 0 to 66"),
        (["mirror", WALK, "-o", "none/a.npz"], "the folder does not exist"),
        (["mirror", WALK, "-o", "a.txt"], "expected a name that ends in .npz"),
        (["concat", WALK, "none.npz", "-o", "a.npz"], "none.npz: no such file"),
        (["convert", WALK, "-o", "a.npz"], "is a clip already"),
        (["view", WALK, "--robot", "none.xml", "--png", "a.png"], "none.xml"),
        (["plot", WALK, "--clip", "99", "-o", "a.png"], "no clip 99"),
        (["plot", WALK, "-o", "a"], "--out a: expected a picture, one of *.png, *.jpg, *.pdf, *.svg"),
        (["plot", WALK, "-o", "none/a.png"], "none/a.png"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("amp-motion: error: ") and words in line


@pytest.mark.browser
def test_a_clip_is_drawn_without_a_screen(tmp_path):
    """In a process of its own: MuJoCo decides how to draw when it is imported."""
    command = [sys.executable, "-m", "amp_runner.cli.motion", "view", WALK, "--clip", "20"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for option, name in (("--png", "a.png"), ("--video", "a.mp4")):
        arguments = [*command, option, str(tmp_path / name)]
        process = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300)
        if "install EGL" in process.stderr:
            pytest.skip("no OpenGL that draws without a screen")
        assert process.returncode == 0, process.stderr[-2000:]
    image = matplotlib.image.imread(tmp_path / "a.png")
    assert image[..., :3].std() > 0.05, "the robot is in it"
    frames = imageio.v3.imread(tmp_path / "a.mp4")
    assert len(frames) == 90 and np.abs(frames[0].astype(int) - frames[10]).max() > 30


def test_a_robot_that_cannot_be_read_is_bad_input_and_no_finding(capsys):
    assert main(["check", WALK, "--robot", "none.xml"]) == 2
    assert "none.xml: cannot be read" in capsys.readouterr().err
