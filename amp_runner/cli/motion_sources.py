"""``amp-motion list``, ``get`` and ``retarget``: where clips come from."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace

from tqdm import tqdm

from amp_runner.cli import motion_convert
from amp_runner.cli.common import TIME_STEP, check_clip_file, number
from amp_runner.motions.clip import load_motion, save_motion


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the commands to the parser of ``amp-motion``."""
    text = "list public motion files that 'get' downloads"
    commands.add_parser("list", help=text, description=text).set_defaults(run=list_entries)
    text = "download a motion file of the catalogue, check it, and convert it to a clip"
    get = commands.add_parser("get", help=text, description=text)
    get.set_defaults(run=get_entry)
    get.add_argument("name", metavar="NAME", help="name in the catalogue: amp-motion list")
    get.add_argument("-o", "--out", required=True, metavar="FILE", help="clip file (.npz)")
    motion_convert.add_arguments(get)
    text = "retarget a clip to a similar robot, by inverse kinematics"
    parser = commands.add_parser("retarget", help=text, description=text)
    parser.set_defaults(run=retarget_clip)
    parser.add_argument("file", metavar="CLIP", help="clip of the source robot (.npz)")
    parser.add_argument("--from", dest="source", required=True, metavar="FILE", help="source robot (MJCF or URDF)")
    parser.add_argument("--to", dest="target", required=True, metavar="FILE", help="target robot (MJCF or URDF)")
    parser.add_argument(
        "--map", required=True, metavar="FILE", help="YAML: frames (source: target), joints, scale, time_scale"
    )
    parser.add_argument("-o", "--out", required=True, metavar="FILE", help="clip file (.npz)")
    parser.add_argument(
        "--joints", metavar="A,B,...", help="joints of the clip, in order (default: the target's, depth first)"
    )
    parser.add_argument("--dt", type=TIME_STEP, help="time step of the clip [s] (default: the source's, scaled)")
    parser.add_argument(
        "--smoothing", type=number(0.0, 10.0), default=0.1, help="length of the smoothing window [s] (default: %(default)s)"
    )


def list_entries(args: argparse.Namespace) -> None:
    """Print the catalogue."""
    from amp_runner.motions.catalogue import catalogue

    for entry in catalogue().values():
        print(f"{entry.name:18s} {entry.robot:25s} {entry.what}  ({entry.size / 1024:.0f} KiB; {entry.licence})")
    print("amp-motion get NAME -o clip.npz --robot FILE --ground downloads and converts one; check its licence first")


def get_entry(args: argparse.Namespace) -> None:
    """Download and convert a motion file.

    Raises:
        AMPError: it cannot be downloaded, has changed, or cannot be converted.
    """
    from amp_runner.motions.catalogue import download, find_entry
    from amp_runner.motions.convert import convert_file

    entry = find_entry(args.name)
    check_clip_file(args.out)
    conversion = entry.conversion(motion_convert.conversion_of(args))
    with tempfile.TemporaryDirectory() as folder:
        with tqdm(total=entry.size, desc=entry.name, unit="B", unit_scale=True) as bar:
            path = download(entry, folder, bar.update)
        note = convert_file(str(path), args.out, conversion)
    save_motion(replace(load_motion(args.out), source=f"{entry.name}: {entry.url}"))
    print(f"{entry.name}: {note}" if note else entry.name)
    print(f"licence: {entry.licence}")
    print(f"wrote {args.out}")


def retarget_clip(args: argparse.Namespace) -> None:
    """Retarget a clip.

    Raises:
        AMPError: bad input, or robots that do not correspond.
    """
    from amp_runner.motions.convert import to_motion
    from amp_runner.motions.edit import concat_motions
    from amp_runner.motions.retarget import RetargetMap, retarget
    from amp_runner.motions.robot_file import joints_of
    from amp_runner.motions.robot_model import RobotModel
    from amp_runner.state import AMPStateSpec

    check_clip_file(args.out)
    motion, mapping = load_motion(args.file), RetargetMap.load(args.map)
    source = RobotModel(args.source, motion.spec.joint_names)
    target = RobotModel(args.target, motion_convert.names(args.joints) or joints_of(args.target))
    with tqdm(total=len(motion.states), desc="retargeting", unit="frame", mininterval=1.0) as bar:
        trajectories = retarget(motion, source, target, mapping, bar.update)
    spec = AMPStateSpec(target.joint_names)
    clips = [to_motion(trajectory, spec, args.out, dt=args.dt, smoothing=args.smoothing) for trajectory in trajectories]
    retargeted = replace(concat_motions(clips), source=f"{motion.source or args.file}, retargeted", licence=motion.licence)
    save_motion(retargeted)
    print(f"{args.file}: {trajectories[0].note.split('; ')[-1]}")
    print(f"wrote {args.out}: {len(clips)} clips, {len(retargeted.states)} frames")
