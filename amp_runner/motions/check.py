"""Checks of motions: rules that broken or badly converted clips violate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.check_robot import check_feet, check_limits
from amp_runner.motions.clip import Motion
from amp_runner.motions.robot_model import RobotModel
from amp_runner.state import AMPStateSpec

SLOPE_TOLERANCE = 0.25
"""Tolerance of the ratio between the derivative of positions and the stored velocity; a wrong dt or unit exceeds it."""
LEAST_CORRELATION = 0.7
"""Smallest correlation of the two. Joints that chatter between frames are below 1, unrelated numbers near 0."""
_SMALL_STEP = 2e-3  # [rad, m]
JUMP = 12.0
"""A frame looks broken if a number changes by this multiple of its usual step."""
_STILL = 0.05  # [rad/s, m/s]; slower motion cannot reveal wrong units
_MOST_RADIANS = 4 * np.pi
"""Larger joint positions are taken for degrees."""
_TALLEST = 5.0
"""Larger root heights are taken for centimetres [m]."""


@dataclass(frozen=True)
class Finding:
    """A defect of a motion, or a remark."""

    severity: Literal["error", "warning", "note"]
    """``error``: not fit to learn from; ``warning``: a flaw, as captured motion usually has some; ``note``: not checked."""
    text: str

    @property
    def is_error(self) -> bool:
        """Whether the motion is not fit to learn from."""
        return self.severity == "error"


def check_motion(motion: Motion, robot: RobotModel | None = None, max_joint_speed: float | None = None) -> list[Finding]:
    """Apply every check.

    Args:
        motion: a motion that could be read.
        robot: the robot, for joint limits and feet.
        max_joint_speed: the actuators' limit [rad/s].

    Raises:
        MotionError: the file does not describe its layout.
    """
    spec = motion.spec
    findings = [
        Finding("note", f"no '{name}' in the file: {consequence}")
        for name, value, consequence in (
            ("dt", motion.dt, "the environment's time step is assumed"),
            ("commands", motion.commands, "amp-eval takes the mean velocity around each frame instead"),
            ("velocity_frame", motion.velocity_frame, "heading is assumed"),
            ("licence", motion.licence or None, "licence unknown"),
        )
        if value is None
    ]
    if robot is None:
        findings.append(Finding("note", "joint limits and feet are not checked: pass --robot FILE"))
    elif robot.missing_meshes:
        findings.append(
            Finding(
                "note", f"{len(robot.missing_meshes)} meshes not found or not readable, such as {robot.missing_meshes[0]}"
            )
        )
    first = 0
    for number, states in enumerate(motion.clips()):
        name = f"clip {number} (frames {first} to {first + len(states) - 1})"
        for finding in _check_clip(states, spec, motion.dt, robot, max_joint_speed):
            findings.append(Finding(finding.severity, f"{name}: {finding.text}"))
        first += len(states)
    return findings


def _check_clip(
    states: np.ndarray, spec: AMPStateSpec, dt: float | None, robot: RobotModel | None, max_joint_speed: float | None
) -> list[Finding]:
    part = {name: states[:, columns] for name, columns in spec.features.items()}
    texts = _check_orientation(part) + _check_units(part, spec)
    repeated = _repeated_frames(states)
    if repeated:
        texts.append(repeated)
    else:
        texts += _check_jumps(part, dt)
        if dt is not None and len(states) > 4:
            texts += _check_velocities(part, spec, dt)
    findings = [Finding("error", text) for text in texts]
    joint_vel = part.get("joint_vel")
    if max_joint_speed is not None and joint_vel is not None and (np.abs(joint_vel) > max_joint_speed).any():
        frame, joint = np.argwhere(np.abs(joint_vel) > max_joint_speed)[0]
        speed = abs(joint_vel[frame, joint])
        findings.append(
            Finding(
                "error",
                f"{spec.joint_names[joint]} turns at {speed:.1f} rad/s in frame {frame}; the limit is {max_joint_speed:g}",
            )
        )
    if robot is not None and "joint_pos" in part:
        findings += [Finding(*finding) for finding in check_limits(part["joint_pos"], robot)]
        if dt is not None:
            findings += _check_feet(states, spec, dt, robot)
    return findings


def _check_feet(states: np.ndarray, spec: AMPStateSpec, dt: float, robot: RobotModel) -> list[Finding]:
    try:
        contacts = robot.ground_contacts(states, spec, dt)
    except MotionError as error:
        return [Finding("note", f"feet are not checked: {error}")]
    return [Finding(*finding) for finding in check_feet(contacts)]


def _check_units(part: dict[str, np.ndarray], spec: AMPStateSpec) -> list[str]:
    texts = []
    if "joint_pos" in part and (largest := np.abs(part["joint_pos"]).max(axis=0)).max() > _MOST_RADIANS:
        name = spec.joint_names[int(largest.argmax())]
        texts.append(f"{name} reaches {largest.max():.0f} rad: degrees instead of radians?")
    if "root_height" in part:
        height = part["root_height"][:, 0]
        if (height <= 0).any():
            texts.append(f"the root is at or below the ground in frame {int((height <= 0).argmax())}")
        if height.mean() > _TALLEST:
            texts.append(
                f"the root is {height.mean():.0f} m above the ground: centimetres or millimetres instead of metres?"
            )
    return texts


def _repeated_frames(states: np.ndarray) -> str | None:
    """Describe frames that are copies of the frame before, if they are regular."""
    same = (states[1:] == states[:-1]).all(axis=1)
    if len(same) < 8 or same.all() or same.mean() < 0.3:
        return None
    return (
        f"{same.mean():.0%} of the frames are copies of the frame before: the frame rate was raised by repeating frames; "
        "convert the original file, or drop the copies"
    )


def _check_orientation(part: dict[str, np.ndarray]) -> list[str]:
    texts = []
    for name, vectors in part.items():
        if name not in ("projected_gravity", "root_quat_xyzw", "root_tangent_normal"):
            continue
        expected = np.sqrt(2) if name == "root_tangent_normal" else 1.0
        norms = np.linalg.norm(vectors, axis=1) / expected
        if (np.abs(norms - 1) > 0.01).any():
            frame = int(np.abs(norms - 1).argmax())
            texts.append(f"{name} has length {norms[frame] * expected:.3f} in frame {frame}; expected {expected:.4g}")
        if name == "root_quat_xyzw" and (vectors[:, 3] < -1e-6).any():
            texts.append(
                f"the quaternion of frame {int((vectors[:, 3] < 0).argmax())} has w < 0; expected w >= 0, or another order"
            )
        if name == "projected_gravity" and vectors[:, 2].mean() > 0:
            texts.append("gravity points up: the robot is upside down, or quaternions were read in the wrong order")
    return texts


def _check_jumps(part: dict[str, np.ndarray], dt: float | None) -> list[str]:
    """Find frames that differ from the frame before by far more than usual, beyond what velocities explain."""
    names = ("projected_gravity", "root_quat_xyzw", "root_tangent_normal", "root_height")
    steps = [np.diff(part[name], axis=0) for name in names if name in part]
    if "joint_pos" in part:
        joints = np.diff(part["joint_pos"], axis=0)
        if dt is not None and "joint_vel" in part:
            joints = joints - 0.5 * dt * (part["joint_vel"][1:] + part["joint_vel"][:-1])
        steps.append(joints)
    if not steps or not len(steps[0]):
        return []
    changes = np.abs(np.concatenate(steps, axis=1))
    # Relative to the steps of each number, but not finer than the noise of a number at rest.
    usual = np.maximum(np.percentile(changes, 90, axis=0), _SMALL_STEP)
    broken = np.flatnonzero((changes > JUMP * usual).any(axis=1))
    if not len(broken):
        return []
    shown = ", ".join(str(frame + 1) for frame in broken[:5]) + (" ..." if len(broken) > 5 else "")
    return [f"{len(broken)} frames look broken (they jump from the frame before): {shown}"]


def _check_velocities(part: dict[str, np.ndarray], spec: AMPStateSpec, dt: float) -> list[str]:
    """Compare stored velocities with the derivatives of positions."""
    pairs = {}
    if {"joint_pos", "joint_vel"} <= set(part):
        for column, name in enumerate(spec.joint_names):
            pairs[f"joint_vel of {name}"] = (part["joint_pos"][:, column], part["joint_vel"][:, column])
    if {"root_height", "root_lin_vel"} <= set(part) and spec.velocity_frame != "body":
        pairs["the root's vertical velocity"] = (part["root_height"][:, 0], part["root_lin_vel"][:, 2])
    texts = []
    for name, (position, velocity) in pairs.items():
        derivative, velocity = np.diff(position.astype(float)) / dt, 0.5 * (velocity[1:] + velocity[:-1]).astype(float)
        if max(np.square(velocity).mean(), np.square(derivative).mean()) < _STILL**2:
            continue
        cross, own, other = (
            (a * b).mean() for a, b in ((derivative, velocity), (velocity, velocity), (derivative, derivative))
        )
        ratio, correlation = cross / max(own, 1e-9), cross / np.sqrt(max(own * other, 1e-9))
        if abs(ratio - 1) > SLOPE_TOLERANCE or correlation < LEAST_CORRELATION:
            texts.append(
                f"{name} is not the derivative of the position (ratio {ratio:.2f}, correlation {correlation:.2f}; expected "
                "1 and 1): wrong dt or units?"
            )
    return texts
