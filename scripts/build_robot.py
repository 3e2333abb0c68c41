#!/usr/bin/env python3
"""Write the robot's USD and MJCF files from its description in ``ostrich_env/robot/description.py``.

    python scripts/build_robot.py [--out ostrich_env/robot/assets]

The USD is flat (all bodies directly under the default prim, joints in one scope), which both Newton and PhysX read with
Isaac Lab's stock contact sensor. The MJCF file is its twin for plain MuJoCo.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from ostrich_env.robot import ASSETS
from ostrich_env.robot import description as robot
from ostrich_env.robot.description import LINKS, Link, Shape

_DIGITS = 6  # micrometres; further digits differ from processor to processor


def link_origins() -> dict[str, np.ndarray]:
    """Position of every link frame in the base frame at zero joint angles [m]."""
    origins: dict[str, np.ndarray] = {}
    for link in LINKS:
        parent = origins[link.parent] if link.parent else np.zeros(3)
        origins[link.name] = parent + np.array(link.origin)
    return origins


def _capsule_pose(shape: Shape) -> tuple[np.ndarray, Gf.Quatf, float]:
    """Centre, orientation (z axis to the capsule's axis) and cylinder length of a capsule."""
    start, end = np.array(shape.pos), np.array(shape.end)
    quat = Gf.Rotation(Gf.Vec3d(0, 0, 1), Gf.Vec3d(*(end - start))).GetQuat()
    rounded = [round(x, _DIGITS) for x in (quat.GetReal(), *quat.GetImaginary())]
    return ((start + end) / 2).round(_DIGITS), Gf.Quatf(*rounded), round(float(np.linalg.norm(end - start)), _DIGITS)


def _add_usd_shape(stage: Usd.Stage, path: str, shape: Shape, collides: bool) -> None:
    if shape.kind == "capsule":
        geom = UsdGeom.Capsule.Define(stage, path)
        center, quat, length = _capsule_pose(shape)
        geom.CreateRadiusAttr(shape.size[0])
        geom.CreateHeightAttr(length)
        geom.CreateAxisAttr("Z")
        geom.AddTranslateOp().Set(Gf.Vec3d(*center.tolist()))
        geom.AddOrientOp().Set(quat)
    elif shape.kind == "box":
        geom = UsdGeom.Cube.Define(stage, path)
        geom.CreateSizeAttr(2.0)
        geom.AddTranslateOp().Set(Gf.Vec3d(*shape.pos))
        geom.AddScaleOp().Set(Gf.Vec3f(*shape.size))
    elif shape.kind == "ellipsoid":  # as a mesh: Newton's viewers do not scale spheres unevenly
        geom = _add_ellipsoid(stage, path, shape)
    else:
        geom = UsdGeom.Sphere.Define(stage, path)
        geom.CreateRadiusAttr(shape.size[0])
        geom.AddTranslateOp().Set(Gf.Vec3d(*shape.pos))
    geom.CreateDisplayColorAttr([Gf.Vec3f(*shape.color)])
    if collides:
        UsdPhysics.CollisionAPI.Apply(geom.GetPrim())
        geom.CreatePurposeAttr(UsdGeom.Tokens.guide)
        if shape.torsion:  # Newton's MuJoCo solver, whose own coefficient is ours; others have no torsional friction
            geom.GetPrim().CreateAttribute("mjc:condim", Sdf.ValueTypeNames.Int).Set(4)


def _add_ellipsoid(stage: Usd.Stage, path: str, shape: Shape, rings: int = 8, segments: int = 14) -> UsdGeom.Mesh:
    """A triangle mesh of an ellipsoid: two poles and ``rings`` circles of ``segments`` points."""
    polar = np.pi * np.arange(1, rings + 1) / (rings + 1)
    around = 2 * np.pi * np.arange(segments) / segments
    circles = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.cos(polar)[:, None] + 0 * around,
        ],
        axis=-1,
    )
    points = np.concatenate([circles.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]]) * shape.size + shape.pos
    top, bottom = rings * segments, rings * segments + 1
    faces = []
    for i in range(segments):
        j = (i + 1) % segments
        faces += [(top, i, j), (bottom, (rings - 1) * segments + j, (rings - 1) * segments + i)]
        for ring in range(rings - 1):
            a, b = ring * segments, (ring + 1) * segments
            faces += [(a + i, b + i, b + j), (a + i, b + j, a + j)]
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr([Gf.Vec3f(*p) for p in points.round(5).tolist()])
    mesh.CreateFaceVertexCountsAttr([3] * len(faces))
    mesh.CreateFaceVertexIndicesAttr([index for face in faces for index in face])
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    return mesh


def _add_usd_link(stage: Usd.Stage, root: str, link: Link, origin: np.ndarray) -> None:
    xform = UsdGeom.Xform.Define(stage, f"{root}/{link.name}")
    xform.AddTranslateOp().Set(Gf.Vec3d(*origin.round(_DIGITS).tolist()))
    xform.AddOrientOp().Set(Gf.Quatf(1.0))
    UsdPhysics.RigidBodyAPI.Apply(xform.GetPrim())
    mass = UsdPhysics.MassAPI.Apply(xform.GetPrim())
    mass.CreateMassAttr(link.mass)
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*link.com))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*(float(f"{x:.6g}") for x in link.inertia)))
    mass.CreatePrincipalAxesAttr(Gf.Quatf(1.0))
    for kind, shapes in (("visual", link.visuals), ("collision", link.collisions)):
        for i, shape in enumerate(shapes):
            _add_usd_shape(stage, f"{root}/{link.name}/{kind}_{i}", shape, kind == "collision")


def _add_usd_joint(stage: Usd.Stage, root: str, link: Link) -> None:
    joint = UsdPhysics.RevoluteJoint.Define(stage, f"{root}/joints/{link.joint}")
    joint.CreateBody0Rel().SetTargets([f"{root}/{link.parent}"])
    joint.CreateBody1Rel().SetTargets([f"{root}/{link.name}"])
    joint.CreateAxisAttr(link.axis)
    joint.CreateLocalPos0Attr(Gf.Vec3f(*link.origin))
    joint.CreateLocalRot0Attr(Gf.Quatf(1.0))
    joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    joint.CreateLocalRot1Attr(Gf.Quatf(1.0))
    joint.CreateLowerLimitAttr(round(math.degrees(link.limits[0]), _DIGITS))
    joint.CreateUpperLimitAttr(round(math.degrees(link.limits[1]), _DIGITS))
    # A zero-gain drive must exist: Isaac Lab writes the actuators' gains into it.
    drive = UsdPhysics.DriveAPI.Apply(joint.GetPrim(), UsdPhysics.Tokens.angular)
    drive.CreateTypeAttr("force")
    drive.CreateStiffnessAttr(0.0)
    drive.CreateDampingAttr(0.0)
    drive.CreateMaxForceAttr(robot.EFFORT_LIMIT)


def _new_stage(path: Path, root: str) -> Usd.Stage:
    path.unlink(missing_ok=True)
    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, root).GetPrim())
    return stage


def write_robot_usd(path: Path) -> None:
    """Write the articulation as a flat USD file."""
    stage = _new_stage(path, "/ostrich")
    UsdPhysics.ArticulationRootAPI.Apply(stage.GetDefaultPrim())
    origins = link_origins()
    for link in LINKS:
        _add_usd_link(stage, "/ostrich", link, origins[link.name])
    UsdGeom.Scope.Define(stage, "/ostrich/joints")
    for link in LINKS:
        if link.joint:
            _add_usd_joint(stage, "/ostrich", link)
    stage.GetRootLayer().Save()


def write_ground_usd(path: Path) -> None:
    """Write a ground plane that needs no asset server: an infinite collision plane and a 100 m visual quad."""
    stage = _new_stage(path, "/ground")
    plane = UsdGeom.Plane.Define(stage, "/ground/plane")
    plane.CreateAxisAttr("Z")
    plane.CreatePurposeAttr(UsdGeom.Tokens.guide)
    UsdPhysics.CollisionAPI.Apply(plane.GetPrim())
    visual = UsdGeom.Xform.Define(stage, "/ground/Environment")
    visual.AddScaleOp().Set(Gf.Vec3f(1.0))
    quad = UsdGeom.Mesh.Define(stage, "/ground/Environment/Geometry")
    quad.CreatePointsAttr([(-50, -50, 0), (50, -50, 0), (50, 50, 0), (-50, 50, 0)])
    quad.CreateFaceVertexCountsAttr([4])
    quad.CreateFaceVertexIndicesAttr([0, 1, 2, 3])
    quad.CreateDisplayColorAttr([Gf.Vec3f(0.3, 0.27, 0.22)])
    stage.GetRootLayer().Save()


def _numbers(*values: float) -> str:
    return " ".join(f"{v:.6g}" for v in values)


def _add_mjcf_shape(body: ET.Element, shape: Shape, name: str | None) -> None:
    """Add a shape; one with a name collides, one without is only seen."""
    attributes = {} if name is None else {"name": name}
    attributes |= {"type": shape.kind, "class": "visual" if name is None else "collision"}
    if shape.kind == "capsule":
        attributes["fromto"] = _numbers(*shape.pos, *shape.end)
        attributes["size"] = _numbers(shape.size[0])
    else:
        attributes["pos"] = _numbers(*shape.pos)
        attributes["size"] = _numbers(*(shape.size[:1] if shape.kind == "sphere" else shape.size))
    if name is None:
        attributes["rgba"] = _numbers(*shape.color, 1)
    elif shape.torsion:
        attributes["condim"] = "4"  # with torsional friction
    ET.SubElement(body, "geom", attributes)


def _add_mjcf_body(parent: ET.Element, link: Link) -> ET.Element:
    position = (0.0, 0.0, robot.STANDING_HEIGHT) if link.parent is None else link.origin
    body = ET.SubElement(parent, "body", {"name": link.name, "pos": _numbers(*position)})
    if link.joint is None:
        ET.SubElement(body, "freejoint", {"name": "root"})
    else:
        axis = "1 0 0" if link.axis == "X" else "0 1 0"
        ET.SubElement(body, "joint", {"name": link.joint, "axis": axis, "range": _numbers(*link.limits)})
    ET.SubElement(
        body,
        "inertial",
        {"pos": _numbers(*link.com), "mass": _numbers(link.mass), "diaginertia": _numbers(*link.inertia)},
    )
    for shape in link.visuals:
        _add_mjcf_shape(body, shape, None)
    for shape in link.collisions:
        _add_mjcf_shape(body, shape, link.name.replace("_link", "_collision"))
    return body


def write_mjcf(path: Path) -> None:
    """Write the MuJoCo twin: the same bodies, a floor, and position actuators with the real gains."""
    root = ET.Element("mujoco", {"model": "ostrich"})
    ET.SubElement(root, "compiler", {"angle": "radian", "autolimits": "true"})
    ET.SubElement(root, "option", {"timestep": "0.005", "integrator": "implicitfast"})
    defaults = ET.SubElement(root, "default")
    joint = {"armature": _numbers(robot.ARMATURE), "frictionloss": _numbers(robot.JOINT_FRICTION)}
    ET.SubElement(defaults, "joint", joint)
    actuator = {
        "kp": _numbers(robot.STIFFNESS),
        "kv": _numbers(robot.DAMPING),
        "forcerange": _numbers(-robot.EFFORT_LIMIT, robot.EFFORT_LIMIT),
    }
    ET.SubElement(defaults, "position", actuator)
    friction = _numbers(0.8, robot.FOOT_TORSION, 0.0001)
    for name, geom in {
        "visual": {"contype": "0", "conaffinity": "0", "group": "2"},
        "collision": {
            "contype": "1",
            "conaffinity": "0",
            "group": "3",
            "friction": friction,
        },
    }.items():
        ET.SubElement(ET.SubElement(defaults, "default", {"class": name}), "geom", geom)
    assets = ET.SubElement(root, "asset")
    tiles = {"type": "2d", "builtin": "checker", "rgb1": "0.8 0.73 0.62", "rgb2": "0.7 0.64 0.54"}
    ET.SubElement(assets, "texture", {"name": "tiles", **tiles, "width": "128", "height": "128"})
    ground = {"name": "ground", "texture": "tiles", "texuniform": "true", "texrepeat": "2 2"}
    ET.SubElement(assets, "material", ground)
    world = ET.SubElement(root, "worldbody")
    ET.SubElement(world, "light", {"pos": "0 0 3", "dir": "0 0 -1", "directional": "true"})
    floor = {"name": "floor", "type": "plane", "size": "0 0 0.05", "material": "ground", "conaffinity": "1"}
    ET.SubElement(world, "geom", floor)
    bodies: dict[str | None, ET.Element] = {None: world}
    for link in LINKS:
        bodies[link.name] = _add_mjcf_body(bodies[link.parent], link)
    actuators = ET.SubElement(root, "actuator")
    for name in robot.JOINT_NAMES:
        ET.SubElement(actuators, "position", {"name": name.removesuffix("_joint"), "joint": name})
    ET.indent(root)
    path.write_text(ET.tostring(root, encoding="unicode") + "\n")


def write_all(out: Path) -> None:
    """Write all files of the robot into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    write_robot_usd(out / "ostrich.usda")
    write_ground_usd(out / "ground.usda")
    write_mjcf(out / "ostrich.xml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder to write to (default: %(default)s)")
    out = parser.parse_args().out
    write_all(out)
    print(f"wrote ostrich.usda, ground.usda and ostrich.xml to {out}")


if __name__ == "__main__":
    main()
