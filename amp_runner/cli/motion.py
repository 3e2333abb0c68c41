"""``amp-motion``: inspect, check, edit and convert clips. Needs no simulator."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amp_runner.cli import motion_convert, motion_sources
from amp_runner.cli.common import (
    TIME_STEP,
    add_page_arguments,
    check_clip_file,
    guard_pages,
    number,
    run_command,
    whole_number,
)
from amp_runner.errors import AMPError, ConfigError
from amp_runner.evaluation.gait_metrics import stride_metrics
from amp_runner.evaluation.legs import hip_joint
from amp_runner.motions.clip import Motion, load_motion, save_motion
from amp_runner.viewers.rendering import prepare_to_draw

if TYPE_CHECKING:
    from amp_runner.motions.robot_model import RobotModel

_PICTURES = (".png", ".jpg", ".pdf", ".svg")
_SHOWN_CLIPS = 12
DEFAULT_FLIP = ".*(roll|yaw).*"


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-motion``; returns the exit status: 0, 1 if ``check`` finds an error, 2 for bad input."""
    findings: list[bool] = []

    def run(arguments: list[str]) -> None:
        args = _parser().parse_args(arguments)
        if getattr(args, "video", None) or getattr(args, "png", None):
            prepare_to_draw()
        findings.append(bool(args.run(args)))

    return run_command("amp-motion", run, argv) or int(any(findings))


def _info(args: argparse.Namespace) -> None:
    """Print what is in a file."""
    motion = load_motion(args.file)
    frames, count = len(motion.states), len(motion.clip_lengths)
    seconds = f"{frames * motion.dt:.1f} s at {1 / motion.dt:g} Hz" if motion.dt else "dt unknown"
    print(f"{motion.path}: {count} clips, {frames} frames of {motion.states.shape[1]} numbers, {seconds}")
    for name in ("velocity_frame", "source", "licence"):
        print(f"  {name}: {getattr(motion, name) or '-'}")
    print(f"  sha256: {motion.sha256}")
    if motion.layout is None or motion.joint_names is None:
        print("  layout: not in the file")
        return
    spec = motion.spec
    print(f"  layout: {', '.join(spec.layout)}")
    for name in ("key_bodies", "feet"):
        if getattr(spec, name):
            print(f"  {name}: {', '.join(getattr(spec, name))}")
    part = {name: motion.states[:, columns] for name, columns in spec.features.items()}
    for index, joint in enumerate(spec.joint_names):
        line = f"  {joint:28s}"
        if "joint_pos" in part:
            position = part["joint_pos"][:, index]
            line += f" {position.min():6.2f} to {position.max():5.2f} rad"
        if "joint_vel" in part:
            line += f", up to {np.abs(part['joint_vel'][:, index]).max():5.1f} rad/s"
        print(line)
    _print_clips(motion, args.all)


def _print_clips(motion: Motion, every: bool) -> None:
    features, hip = motion.spec.features, hip_joint(motion.spec.joint_names)
    print("  clip  seconds   vx     vy    wz      height [m]     stride [Hz]   (means over the clip)")
    clips, dt = motion.clips(), motion.dt or float("nan")

    def mean(states: np.ndarray, name: str, column: int) -> float:
        return float(states[:, features[name].start + column].mean()) if name in features else float("nan")

    for index, states in enumerate(clips if every else clips[:_SHOWN_CLIPS]):
        height = states[:, features["root_height"]] if "root_height" in features else np.array([np.nan])
        stride = float("nan")
        if "joint_pos" in features and len(states) * dt >= 1:
            stride = stride_metrics(states[:, None, features["joint_pos"]], dt, hip)[0][0]
        velocity = mean(states, "root_lin_vel", 0), mean(states, "root_lin_vel", 1), mean(states, "root_ang_vel", 2)
        print(
            f"  {index:4d}  {len(states) * dt:7.2f} {velocity[0]:6.2f} {velocity[1]:6.2f} {velocity[2]:6.2f}"
            f"   {height.min():.3f} to {height.max():.3f}  {stride:8.2f}"
        )
    if not every and len(clips) > _SHOWN_CLIPS:
        print(f"  ... {len(clips) - _SHOWN_CLIPS} more; --all shows them")


def _check(args: argparse.Namespace) -> bool:
    """Print every finding; returns whether any is an error, or with ``--strict`` a warning."""
    from amp_runner.motions.check import check_motion
    from amp_runner.motions.robot_file import joints_of

    if args.robot is not None:
        joints_of(args.robot)  # a robot that cannot be read is no finding about the clips
    fails = ("error", "warning") if args.strict else ("error",)
    failed = False
    for file in args.files:
        try:
            motion = load_motion(file)
            findings = check_motion(motion, _robot(args, motion), args.max_joint_speed)
        except AMPError as error:
            print(f"error: {error}")
            failed = True
            continue
        for finding in findings:
            print(f"{finding.severity}: {file}: {finding.text}")
        if any(finding.severity in fails for finding in findings):
            failed = True
        else:
            warnings = sum(finding.severity == "warning" for finding in findings)
            print(f"ok: {file}" + (f" ({warnings} warnings)" if warnings else ""))
    return failed


def _plot(args: argparse.Namespace) -> None:
    from amp_runner.motions.edit import cut_motion
    from amp_runner.viewers.clip_plots import plot_clip

    if Path(args.out).suffix.lower() not in _PICTURES:
        raise AMPError(f"--out {args.out}: expected a picture, one of *{', *'.join(_PICTURES)}")
    motion = load_motion(args.file)
    plot_clip(cut_motion(motion, clips=[args.clip]), _robot(args, motion), args.out)
    print(f"wrote {args.out}")


def _mirror(args: argparse.Namespace) -> None:
    from amp_runner.motions.edit import mirror_motion

    motion = load_motion(args.file)
    robot = _robot(args, motion) if args.flip is None else None
    if robot is not None:
        from amp_runner.motions.robot_mirror import mirror_of_model

        mirrored = mirror_motion(motion, *mirror_of_model(motion.spec, robot))
    else:
        flip = args.flip or DEFAULT_FLIP
        names = motion.spec.joint_names
        try:
            flipped = [name for name in names if re.fullmatch(flip, name)]
        except re.error as error:
            raise ConfigError(f"--flip {flip}: not a regular expression: {error}") from None
        if not flipped:
            raise ConfigError(
                f"{motion.path}: no joint matches --flip '{flip}', so no angle would change sign; expected the joints that "
                f"roll or yaw. Pass --robot FILE (MJCF or URDF), or --flip; the joints are {', '.join(names)}"
            )
        print(f"the angles of these joints change sign (flip): {', '.join(flipped)}")
        mirrored = mirror_motion(motion, *motion.spec.mirror(flip, (args.sides[0], args.sides[1])))
    _save(replace(mirrored, source=f"{mirrored.source}, mirrored".lstrip(", ")), args.out)


def _resample(args: argparse.Namespace) -> None:
    from amp_runner.motions.edit import resample_motion

    _save(resample_motion(load_motion(args.file), args.dt), args.out)


def _cut(args: argparse.Namespace) -> None:
    from amp_runner.motions.edit import cut_motion

    _save(cut_motion(load_motion(args.file), args.start, args.end, args.clips), args.out)


def _concat(args: argparse.Namespace) -> None:
    from amp_runner.motions.edit import concat_motions

    _save(concat_motions([load_motion(file) for file in args.files]), args.out)


def _view(args: argparse.Namespace) -> None:
    from amp_runner.viewers.clip_viewer import serve, show_clips, write_picture, write_video

    motions = [load_motion(file) for file in args.files]
    robots = []
    for motion in motions:
        robot = _robot(args, motion)
        if robot is None:
            raise ConfigError(f"{motion.path}: no robot model; pass --robot FILE (MJCF or URDF)")
        robots.append(robot)
    if args.png:
        write_picture(show_clips(motions, robots, args.clip)[0], args.png)
        print(f"wrote {args.png}")
    elif args.video:
        frames = write_video(show_clips(motions, robots, args.clip)[0], args.video)
        print(f"wrote {args.video}: {frames} frames")
    else:
        guard_pages(args)
        serve(motions, robots, args.clip, args.port)


def _save(motion: Motion, out: str) -> None:
    check_clip_file(out)
    save_motion(replace(motion, path=out))
    seconds = f", {len(motion.states) * motion.dt:.1f} s" if motion.dt else ""
    print(f"{out}: {len(motion.clip_lengths)} clips, {len(motion.states)} frames{seconds}")


def _robot(args: argparse.Namespace, motion: Motion) -> RobotModel | None:
    """Return the robot that ``--robot`` names, or a registered one with the clip's joints, or None."""
    from amp_runner.motions.robot_model import RobotModel, registered_robot

    if motion.joint_names is None:
        return None
    path = args.robot or registered_robot(motion.joint_names)
    return None if path is None else RobotModel(path, motion.joint_names)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amp-motion", description="Inspect, check, edit and convert clips.", allow_abbrev=False
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str,
        run: Callable[[argparse.Namespace], Any],
        text: str,
        *,
        many: bool = False,
        out: str | None = None,
        robot: bool = False,
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        sub.add_argument(*(["files"] if many else ["file"]), nargs="+" if many else None, metavar="FILE")
        if out:
            sub.add_argument("-o", "--out", required=True, metavar="FILE", help=out)
        if robot:
            sub.add_argument(
                "--robot", metavar="FILE", help="MJCF or URDF file (default: an installed robot with the clip's joints)"
            )
        return sub

    info = command("info", _info, "show the contents of a clip file")
    info.add_argument("--all", action="store_true", help="list every clip")
    check = command(
        "check", _check, "check that clips are fit to learn from; exit status 1 for errors", many=True, robot=True
    )
    check.add_argument("--strict", action="store_true", help="exit status 1 for warnings, too")
    check.add_argument("--max_joint_speed", type=number(0.0, 1e6), metavar="RAD/S", help="the actuators' limit")
    plot = command("plot", _plot, "draw a clip: joints, root, footfalls, spectrum", out="picture (.png)", robot=True)
    plot.add_argument("--clip", type=whole_number(0, 10**9), default=0, help="index of the clip (default: %(default)s)")
    mirror = command("mirror", _mirror, "swap left and right", out="clip file (.npz)", robot=True)
    mirror.add_argument(
        "--flip",
        metavar="REGEX",
        help=f"joints whose angle changes sign (default: by the robot's model, else {DEFAULT_FLIP})",
    )
    mirror.add_argument("--sides", nargs=2, default=("left", "right"), help="sides in joint names (default: left right)")
    resample = command("resample", _resample, "change the time step", out="clip file (.npz)")
    resample.add_argument("--dt", type=TIME_STEP, required=True, help="time between two frames [s]")
    cut = command("cut", _cut, "keep some clips, or a part of each", out="clip file (.npz)")
    cut.add_argument("--start", type=number(0.0, 1e9), default=0.0, help="start of the part [s] (default: %(default)s)")
    cut.add_argument("--end", type=number(0.0, 1e9), help="end of the part [s] (default: the clip's)")
    cut.add_argument("--clips", type=whole_number(0, 10**9), nargs="+", help="indices of the clips to keep (default: all)")
    command("concat", _concat, "concatenate files; clips stay separate", many=True, out="clip file (.npz)")
    text = "convert foreign motion files, or folders of them, to clips"
    motion_convert.add_arguments(
        command("convert", motion_convert.convert, text, many=True, out="clip file (.npz), or a folder for several files")
    )
    motion_sources.add_commands(commands)
    view = command("view", _view, "play clips in the browser, or to a video or picture", many=True, robot=True)
    add_page_arguments(view)
    view.add_argument("--clip", type=whole_number(0, 10**9), default=0, help="clip shown first (default: %(default)s)")
    view.add_argument("--video", metavar="FILE", help="write a video (.mp4 or .gif) instead")
    view.add_argument("--png", metavar="FILE", help="write a picture instead: the robot at several moments of the clip")
    return parser


if __name__ == "__main__":
    sys.exit(main())
