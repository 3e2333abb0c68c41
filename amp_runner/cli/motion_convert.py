"""``amp-motion convert``: foreign motion files to clips."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from amp_runner.cli.common import TIME_STEP, check_clip_file, number, whole_number
from amp_runner.errors import ConfigError

if TYPE_CHECKING:
    from amp_runner.motions.convert import Conversion

KINDS = (
    "amp-rsl-rl",
    "csv",
    "gmr",
    "isaaclab",
    "legged-gym",
    "mimickit",
    "ostrichrl",
    "poses",
    "protomotions",
    "skeleton",
    "tienkung",
    "tracking",
)
"""Names of the readers, which are imported when one is used."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``convert`` except for the files and ``--out``."""
    group = parser.add_argument_group("the file")
    add = group.add_argument
    add("--kind", choices=KINDS, help="kind of file (default: detected)")
    add("--joint_names", metavar="A,B,...", help="names of the file's joint columns, if it does not store them")
    add("--root_body", metavar="NAME", help="body that is the root, for Isaac Lab's files (default: the first)")
    add("--fps", type=number(1.0, 1e4), help="frames per second; overrides the file's frame rate")
    add("--quat", choices=("auto", "xyzw", "wxyz"), default="auto", help="order of quaternions (default: %(default)s)")
    group = parser.add_argument_group("the robot")
    add = group.add_argument
    add(
        "--robot",
        metavar="FILE",
        help="MJCF or URDF file: proves the order of joints and quaternions by the file's body positions, if it holds any",
    )
    add("--ground", action="store_true", help="put the feet on the ground; needs --robot")
    add(
        "--height_offset",
        type=number(-100.0, 100.0),
        default=0.0,
        help="added to the root's height [m] (default: %(default)s)",
    )
    add(
        "--root_rotation",
        type=number(-360.0, 360.0),
        nargs=3,
        metavar=("X", "Y", "Z"),
        default=(0.0, 0.0, 0.0),
        help="fixed rotation from the file's root frame to the robot's: Euler angles [degrees]",
    )
    add("--joints", metavar="A,B,...", help="joints of the clip, in the environment's order (default: the file's)")
    add("--joint_map", metavar="FILE", help="YAML: 'joint: source', or 'joint: {from: source, sign: -1, offset: 0.1}'")
    group = parser.add_argument_group("the clip")
    add = group.add_argument
    add("--dt", type=TIME_STEP, help="time step of the clip [s] (default: the file's)")
    add("--loop", type=whole_number(0, 1000), default=0, metavar="N", help="repeat the cycle N times, joined without a jump")
    add(
        "--smoothing",
        type=number(0.0, 10.0),
        default=0.1,
        help="length of the smoothing window [s], 0 for none (default: %(default)s)",
    )
    add("--layout", metavar="A,B,...", help="features of the AMP state, in order (default: the standard list)")
    add("--orientation", choices=("gravity", "quaternion", "tangent_normal"), default="gravity", help="default: %(default)s")
    add("--velocity_frame", choices=("heading", "world", "body"), default="heading", help="default: %(default)s")
    add("--key_bodies", metavar="A,B,...", help="bodies whose positions relative to the root are added; needs --robot")
    add("--feet", metavar="A,B,...", help="bodies whose contact with the ground is added; needs --robot")
    add("--licence", default="", help="licence noted in the clip")


def convert(args: argparse.Namespace) -> bool:
    """Convert one file, or many files and folders into a folder; returns whether any was left out.

    Raises:
        AMPError: bad input.
    """
    from amp_runner.motions.convert import convert_file
    from amp_runner.motions.convert.conversion import motion_files

    conversion = conversion_of(args)
    if Path(args.out).suffix == ".npz" and len(args.files) == 1 and not Path(args.files[0]).is_dir():
        check_clip_file(args.out)
        note = convert_file(args.files[0], args.out, conversion)
        if note:
            print(f"{args.files[0]}: {note}")
        print(f"wrote {args.out}")
        return False
    if Path(args.out).suffix == ".npz":
        raise ConfigError(f"--out {args.out}: expected a folder for several files; the clips are named after them")
    return _convert_many(motion_files(args.files), args.out, conversion)


def _convert_many(files: list[tuple[str, str]], folder: str, conversion: Conversion) -> bool:
    from amp_runner.motions.convert.conversion import convert_files

    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"--out {folder}: is a file; expected a folder for several files") from None
    results = list(tqdm(convert_files(files, folder, conversion), total=len(files), desc="converting", unit="file"))
    failed = [result for result in results if result.error]
    for note in sorted({result.note for result in results if result.note}):
        with_note = [result for result in results if result.note == note]
        print(f"{with_note[0].path}{f' and {len(with_note) - 1} more' if len(with_note) > 1 else ''}: {note}")
    for result in failed:
        print(f"left out: {result.path}: {result.error}")
    print(f"wrote {len(results) - len(failed)} of {len(results)} clips to {folder}")
    return bool(failed)


def conversion_of(args: argparse.Namespace) -> Conversion:
    """Return the settings of a conversion from the arguments."""
    from amp_runner.motions.convert import Conversion, ReadOptions
    from amp_runner.motions.convert.joint_map import read_joint_map

    spec = {
        "orientation": args.orientation,
        "velocity_frame": args.velocity_frame,
        "layout": names(args.layout) or (),
        "key_bodies": names(args.key_bodies) or (),
        "feet": names(args.feet) or (),
    }
    return Conversion(
        kind=args.kind,
        read=ReadOptions(names(args.joint_names), args.fps, args.quat, args.root_body),
        robot=args.robot,
        joints=names(args.joints),
        joint_map=read_joint_map(args.joint_map) if args.joint_map else None,
        spec=spec,
        dt=args.dt,
        smoothing=args.smoothing,
        height_offset=args.height_offset,
        ground=args.ground,
        root_rotation=tuple(args.root_rotation),
        loop=args.loop,
        licence=args.licence,
    )


def names(text: str | None) -> tuple[str, ...] | None:
    """Split a list of names at its commas."""
    return tuple(name.strip() for name in text.split(",")) if text else None
