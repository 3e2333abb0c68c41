"""Reading robots from MJCF and URDF files, as MuJoCo models with a floating base."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import mujoco

from amp_runner.errors import MotionError
from amp_runner.files import read_file

_MAX_BYTES = 64 * 2**20  # of the description, without its meshes
_MESH_SUFFIXES = (".stl", ".obj", ".msh")
"""Meshes that MuJoCo reads."""
_LEAST_MASS, _LEAST_INERTIA = 1e-6, 1e-9  # links without inertia do not compile; kinematics needs none


def read_robot(path: str | Path, joint_names: tuple[str, ...]) -> tuple[mujoco.MjModel, str, list[str]]:
    """Read a robot; a base that is fixed to the world becomes a floating one.

    Args:
        path: MJCF or URDF file.
        joint_names: joints that it must have; the root is the outermost body that carries them.

    Returns:
        The model, the name of its root body, and the meshes that could not be read, whose shapes are left out.

    Raises:
        MotionError: the file cannot be read, or lacks a joint.
    """
    missing: list[str] = []
    try:
        text = read_file(path, _MAX_BYTES).decode()
        if _is_urdf(text):
            text, missing = _prepare_urdf(text, Path(path).parent)
            spec = mujoco.MjSpec.from_string(text)
        else:
            spec = mujoco.MjSpec.from_file(str(path))
        model, root = floating_model(spec, str(path), joint_names)
        return model, root, missing
    except OSError as error:
        raise MotionError(f"{path}: cannot be read: {error.strerror}") from None
    except MotionError:
        raise
    except (ValueError, ElementTree.ParseError, UnicodeDecodeError) as error:
        raise MotionError(f"{path}: not a robot that MuJoCo can read: {str(error).splitlines()[0]}") from None


def floating_model(spec: mujoco.MjSpec, name: str, joint_names: tuple[str, ...]) -> tuple[mujoco.MjModel, str]:
    """Compile a robot, with a floating base if it has none.

    Args:
        spec: the robot.
        name: its name, for the error message.
        joint_names: joints that it must have; the root is the outermost body that carries them.

    Returns:
        The model, and the name of its root body.

    Raises:
        MotionError: it lacks a joint.
    """
    known = [joint.name for joint in spec.joints if joint.type != mujoco.mjtJoint.mjJNT_FREE]
    for joint in joint_names:
        if joint not in known:
            raise MotionError(f"{name}: has no joint '{joint}'; it has {', '.join(filter(None, known))}")
    root = _root_of(spec, joint_names)
    if not any(joint.type == mujoco.mjtJoint.mjJNT_FREE for joint in root.joints):
        for key in list(spec.keys):  # their positions lack the base's
            spec.delete(key)
        root.add_freejoint()
    root.name = root.name or "root"
    return spec.compile(), root.name


def joints_of(path: str | Path) -> tuple[str, ...]:
    """Return the joints of a robot, depth first, without that of its base.

    Raises:
        MotionError: the file cannot be read.
    """
    model, _, _ = read_robot(path, ())
    return tuple(model.joint(i).name for i in range(model.njnt) if model.jnt_type[i] != mujoco.mjtJoint.mjJNT_FREE)


def _is_urdf(text: str) -> bool:
    return ElementTree.fromstring(text).tag == "robot"


def _root_of(spec: mujoco.MjSpec, joint_names: tuple[str, ...]) -> mujoco.MjsBody:
    """The child of the world that carries the joints; without joints the first one."""
    if not joint_names:
        return spec.worldbody.first_body()
    body = spec.joint(joint_names[0]).parent
    while body.parent.name != "world":
        body = body.parent
    return body


def _prepare_urdf(text: str, folder: Path) -> tuple[str, list[str]]:
    """Keep every link as a body, and leave out shapes whose mesh MuJoCo cannot read; returns their files too."""
    robot = ElementTree.fromstring(text)
    missing = []
    for link in robot.iter("link"):
        for shape in [*link.findall("visual"), *link.findall("collision")]:
            mesh = shape.find("geometry/mesh")
            if mesh is None:
                continue
            file = _find_mesh(mesh.get("filename", ""), folder)
            if file is None:
                missing.append(mesh.get("filename", ""))
                link.remove(shape)
            else:
                mesh.set("filename", str(file))
    for extension in robot.findall("mujoco"):
        robot.remove(extension)
    extension = ElementTree.SubElement(robot, "mujoco")
    settings = {"strippath": "false", "fusestatic": "false", "discardvisual": "false"}
    bounds = {"boundmass": str(_LEAST_MASS), "boundinertia": str(_LEAST_INERTIA), "balanceinertia": "true"}
    ElementTree.SubElement(extension, "compiler", settings | bounds)
    return ElementTree.tostring(robot, encoding="unicode"), sorted(set(missing))


def _find_mesh(name: str, folder: Path) -> Path | None:
    """Find a mesh by its path, or, for ``package://name/path``, below the folders that contain the URDF."""
    if Path(name).suffix.lower() not in _MESH_SUFFIXES:
        return None
    parts = Path(name.split("://", 1)[-1]).parts
    folder = folder.resolve()
    candidates = [folder / name] if "://" not in name else []
    for parent in (folder, *folder.parents[:4]):
        candidates += [parent.joinpath(*parts), parent.joinpath(*parts[1:])]
    return next((file for file in candidates if file.is_file()), None)
