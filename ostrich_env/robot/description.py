"""The ostrich robot: masses, lengths, limits and shapes, in one place.

Everything that describes the robot is derived from this module: the USD and MJCF files (``scripts/build_robot.py``), the
articulation configuration, the kinematics and the synthesised reference motion. Plain Python and NumPy, no simulator.

Conventions: metres, kilograms, radians; x forward, y left, z up; every link frame is parallel to the base frame at zero
joint angles and has its origin on the joint that carries the link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Vector = tuple[float, float, float]

UPPER_LEG_LENGTH = 0.12
"""Distance from the hip to the (backward pointing) knee [m]."""
LOWER_LEG_LENGTH = 0.125
"""Distance from the knee to the centre of the foot sphere [m]."""
FOOT_RADIUS = 0.012
"""Radius of the foot sphere [m]."""
FOOT_TORSION = 0.005
"""Torsional friction of a foot [m]: the largest moment about the contact's normal, divided by the normal force. A rubber
foot touches the ground with a patch; without it a leg's swing turns the body whenever one foot stands."""
HIP_OFFSET = 0.075
"""Lateral distance of each hip from the midline [m]."""

JOINT_NAMES = (
    "left_roll_joint",
    "left_upper_leg_joint",
    "left_lower_leg_joint",
    "right_roll_joint",
    "right_upper_leg_joint",
    "right_lower_leg_joint",
)
"""The joint order of every clip, observation and action of this robot."""

DEFAULT_JOINT_POS = {".*_roll_joint": 0.0, ".*_upper_leg_joint": 0.45, ".*_lower_leg_joint": -0.9}
"""Standing pose [rad]."""

STANDING_HEIGHT = (UPPER_LEG_LENGTH + LOWER_LEG_LENGTH) * math.cos(0.45) + FOOT_RADIUS
"""Height of the base origin above the ground in the standing pose [m]."""

# Actuator constants of the real joints.
EFFORT_LIMIT = 7.7  # [N m]
VELOCITY_LIMIT = 22.0  # [rad/s]
STIFFNESS = 15.0  # [N m/rad]
DAMPING = 0.5  # [N m s/rad]
ARMATURE = 0.0017  # [kg m^2]
JOINT_FRICTION = 0.09  # [N m]
DELAY_STEPS = (2, 4)  # physics steps of 5 ms between a command and its effect
BACKLASH = 0.05  # [rad]

JOINT_LIMITS = {"roll": (-0.5, 0.5), "upper_leg": (-0.7, 1.5), "lower_leg": (-2.1, -0.15)}
"""Position limits of each kind of joint [rad]."""


@dataclass(frozen=True)
class Shape:
    """A primitive: a box, a sphere, an ellipsoid, or a capsule between two points."""

    kind: Literal["box", "sphere", "ellipsoid", "capsule"]
    size: Vector
    """Half extents of a box, radii of an ellipsoid, (radius, 0, 0) of a sphere or capsule [m]."""
    pos: Vector = (0.0, 0.0, 0.0)
    """Centre, or the first end of a capsule [m]."""
    end: Vector | None = None
    """The second end of a capsule [m]."""
    color: Vector = (0.2, 0.2, 0.22)
    torsion: float = 0.0
    """Torsional friction [m]; 0: it spins freely on a point."""


@dataclass(frozen=True)
class Link:
    """A rigid body and the revolute joint that connects it to its parent."""

    name: str
    mass: float
    """Mass [kg]."""
    com: Vector
    """Centre of mass in the link frame [m]."""
    inertia: Vector
    """Principal moments about the centre of mass, axes parallel to the link frame [kg m^2]."""
    parent: str | None = None
    joint: str | None = None
    axis: Literal["X", "Y"] = "X"
    origin: Vector = (0.0, 0.0, 0.0)
    """Joint position in the parent frame [m]."""
    limits: tuple[float, float] = (0.0, 0.0)
    """Joint position limits [rad]."""
    collisions: tuple[Shape, ...] = ()
    visuals: tuple[Shape, ...] = ()


def _box_inertia(mass: float, x: float, y: float, z: float) -> Vector:
    """Principal moments of a solid box with full extents x, y, z [kg m^2]."""
    return (mass * (y * y + z * z) / 12, mass * (x * x + z * z) / 12, mass * (x * x + y * y) / 12)


_PLUMAGE, _TAIL, _SKIN, _BEAK, _EYE = (
    (0.1, 0.1, 0.11),
    (0.93, 0.92, 0.88),
    (0.86, 0.68, 0.6),
    (0.9, 0.6, 0.3),
    (0, 0, 0),
)

_BODY_VISUALS = (
    Shape("ellipsoid", (0.115, 0.068, 0.062), pos=(-0.01, 0.0, 0.055), color=_PLUMAGE),
    Shape("ellipsoid", (0.055, 0.025, 0.042), pos=(-0.03, 0.066, 0.06), color=_PLUMAGE),  # wings
    Shape("ellipsoid", (0.055, 0.025, 0.042), pos=(-0.03, -0.066, 0.06), color=_PLUMAGE),
    Shape("ellipsoid", (0.045, 0.035, 0.03), pos=(-0.125, 0.0, 0.085), color=_TAIL),
    Shape("capsule", (0.018, 0, 0), pos=(0.085, 0.0, 0.07), end=(0.12, 0.0, 0.15), color=_SKIN),
    Shape("capsule", (0.014, 0, 0), pos=(0.12, 0.0, 0.15), end=(0.125, 0.0, 0.25), color=_SKIN),
    Shape("ellipsoid", (0.03, 0.022, 0.022), pos=(0.137, 0.0, 0.268), color=_SKIN),
    Shape("ellipsoid", (0.024, 0.012, 0.008), pos=(0.172, 0.0, 0.262), color=_BEAK),
    Shape("sphere", (0.007, 0, 0), pos=(0.148, 0.018, 0.276), color=_EYE),
    Shape("sphere", (0.007, 0, 0), pos=(0.148, -0.018, 0.276), color=_EYE),
)


def _leg(side: Literal["left", "right"]) -> tuple[Link, Link, Link]:
    """The three links of one leg: roll, upper leg, lower leg (with the foot)."""
    sign = 1.0 if side == "left" else -1.0
    foot = (0.0, 0.0, -LOWER_LEG_LENGTH)
    foot_sphere = Shape("sphere", (FOOT_RADIUS, 0, 0), pos=foot, color=_BEAK, torsion=FOOT_TORSION)
    roll = Link(
        name=f"{side}_roll_link",
        mass=0.25,
        com=(0.0, 0.0, 0.0),
        inertia=_box_inertia(0.25, 0.05, 0.045, 0.045),
        parent="base_link",
        joint=f"{side}_roll_joint",
        axis="X",
        origin=(0.0, sign * HIP_OFFSET, 0.0),
        limits=JOINT_LIMITS["roll"],
        visuals=(Shape("ellipsoid", (0.032, 0.024, 0.03), color=_PLUMAGE),),
    )
    upper = Link(
        name=f"{side}_upper_leg_link",
        mass=0.3,
        com=(0.0, 0.0, -0.03),
        inertia=_box_inertia(0.3, 0.04, 0.035, 0.10),
        parent=roll.name,
        joint=f"{side}_upper_leg_joint",
        axis="Y",
        limits=JOINT_LIMITS["upper_leg"],
        visuals=(
            Shape("capsule", (0.02, 0, 0), pos=(0.0, 0.0, -0.005), end=(0.0, 0.0, -0.06), color=_SKIN),
            Shape("capsule", (0.013, 0, 0), pos=(0.0, 0.0, -0.06), end=(0.0, 0.0, -UPPER_LEG_LENGTH), color=_SKIN),
        ),
    )
    lower = Link(
        name=f"{side}_lower_leg_link",
        mass=0.1,
        com=(0.0, 0.0, -0.05),
        inertia=_box_inertia(0.1, 0.02, 0.02, LOWER_LEG_LENGTH),
        parent=upper.name,
        joint=f"{side}_lower_leg_joint",
        axis="Y",
        origin=(0.0, 0.0, -UPPER_LEG_LENGTH),
        limits=JOINT_LIMITS["lower_leg"],
        collisions=(foot_sphere,),
        visuals=(
            Shape("capsule", (0.009, 0, 0), pos=(0.0, 0.0, 0.0), end=foot, color=_SKIN),
            foot_sphere,
        ),
    )
    return roll, upper, lower


LINKS: tuple[Link, ...] = (
    Link(
        name="base_link",
        mass=1.4,
        com=(0.0, 0.0, 0.035),
        inertia=_box_inertia(1.4, 0.18, 0.12, 0.11),
        collisions=(Shape("sphere", (0.07, 0, 0), pos=(0.0, 0.0, 0.055)),),
        visuals=_BODY_VISUALS,
    ),
    *_leg("left"),
    *_leg("right"),
)
"""All links, parents before children, the left leg first."""

FOOT_LINKS = ("left_lower_leg_link", "right_lower_leg_link")


def joint_limits() -> np.ndarray:
    """Position limits in the order of :data:`JOINT_NAMES`, shape (6, 2) [rad]."""
    by_joint = {link.joint: link.limits for link in LINKS if link.joint}
    return np.array([by_joint[name] for name in JOINT_NAMES])


def default_joint_pos() -> np.ndarray:
    """The standing pose in the order of :data:`JOINT_NAMES`, shape (6,) [rad]."""
    return np.array([next(v for k, v in DEFAULT_JOINT_POS.items() if n.endswith(k[2:])) for n in JOINT_NAMES])
