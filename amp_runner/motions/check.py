"""Checks of motions: rules that broken or badly converted clips violate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amp_runner.motions.clip import Motion
from amp_runner.motions.robot_model import CONTACT_HEIGHT, RobotModel
from amp_runner.state import AMPStateSpec

SLOPE_TOLERANCE = 0.25
"""Tolerance of the ratio between the derivative of positions and the stored velocity; a wrong dt or unit exceeds it."""
LEAST_CORRELATION = 0.7
"""Smallest correlation of the two. Joints that chatter between frames are below 1, unrelated numbers near 0."""
_SMALL_STEP = 2e-3  # [rad, m]
JUMP = 12.0
"""A frame looks broken if a number changes by this multiple of its usual step."""
_STILL = 0.05  # [rad/s, m/s]; slower motion cannot reveal wrong units
SLIP = 0.15
"""Largest mean speed of a foot in stance [m/s]."""
PENETRATION = 0.01
"""Largest depth of a foot in the ground [m]."""


@dataclass(frozen=True)
class Finding:
    """A defect of a motion, or a remark."""

    is_error: bool
    text: str


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
        Finding(False, f"no '{name}' in the file: {consequence}")
        for name, value, consequence in (
            ("dt", motion.dt, "the environment's time step is assumed"),
            ("commands", motion.commands, "amp-eval cannot compare at equal commands"),
            ("velocity_frame", motion.velocity_frame, "heading is assumed"),
            ("licence", motion.licence or None, "licence unknown"),
        )
        if value is None
    ]
    if robot is None:
        findings.append(Finding(False, "joint limits and feet are not checked: pass --robot FILE"))
    first = 0
    for number, states in enumerate(motion.clips()):
        name = f"clip {number} (frames {first} to {first + len(states) - 1})"
        for text in _check_clip(states, spec, motion.dt, robot, max_joint_speed):
            findings.append(Finding(True, f"{name}: {text}"))
        first += len(states)
    return findings


def _check_clip(
    states: np.ndarray, spec: AMPStateSpec, dt: float | None, robot: RobotModel | None, max_joint_speed: float | None
) -> list[str]:
    texts = _check_orientation(states, spec) + _check_jumps(states, spec, dt)
    joint_pos, joint_vel = (states[:, spec.features[name]] for name in ("joint_pos", "joint_vel"))
    if (states[:, 0] <= 0).any():
        texts.append(f"the root is at or below the ground in frame {int((states[:, 0] <= 0).argmax())}")
    if max_joint_speed is not None and (np.abs(joint_vel) > max_joint_speed).any():
        frame, joint = np.argwhere(np.abs(joint_vel) > max_joint_speed)[0]
        speed = abs(joint_vel[frame, joint])
        texts.append(
            f"{spec.joint_names[joint]} turns at {speed:.1f} rad/s in frame {frame}; the limit is {max_joint_speed:g}"
        )
    if dt is not None and len(states) > 4:
        texts += _check_velocities(states, spec, dt)
    if robot is not None:
        texts += _check_limits(joint_pos, robot)
        if dt is not None:
            texts += _check_feet(states, spec, dt, robot)
    return texts


def _check_orientation(states: np.ndarray, spec: AMPStateSpec) -> list[str]:
    name = spec.layout[1]
    vectors = states[:, spec.features[name]]
    norms = np.linalg.norm(vectors, axis=1)
    texts = []
    if (np.abs(norms - 1) > 0.01).any():
        frame = int(np.abs(norms - 1).argmax())
        texts.append(f"{name} has length {norms[frame]:.3f} in frame {frame}; expected 1")
    if spec.orientation == "quaternion" and (vectors[:, 3] < -1e-6).any():
        texts.append(
            f"the quaternion of frame {int((vectors[:, 3] < 0).argmax())} has w < 0; expected w >= 0, or another order"
        )
    if spec.orientation == "gravity" and vectors[:, 2].mean() > 0:
        texts.append("gravity points up: the robot is upside down, or quaternions were read in the wrong order")
    return texts


def _check_jumps(states: np.ndarray, spec: AMPStateSpec, dt: float | None) -> list[str]:
    """Find frames that differ from the frame before by far more than usual, beyond what velocities explain."""
    orientation = np.diff(states[:, spec.features[spec.layout[1]]], axis=0)
    joints = np.diff(states[:, spec.features["joint_pos"]], axis=0)
    if dt is not None:
        velocity = states[:, spec.features["joint_vel"]]
        joints = joints - 0.5 * dt * (velocity[1:] + velocity[:-1])
    steps = np.abs(np.concatenate([orientation, joints, np.diff(states[:, :1], axis=0)], axis=1))
    # Relative to the steps of each number, but not finer than the noise of a number at rest.
    usual = np.maximum(np.percentile(steps, 90, axis=0), _SMALL_STEP) if len(steps) else np.ones(steps.shape[1])
    broken = np.flatnonzero((steps > JUMP * usual).any(axis=1))
    if not len(broken):
        return []
    shown = ", ".join(str(frame + 1) for frame in broken[:5]) + (" ..." if len(broken) > 5 else "")
    return [f"{len(broken)} frames look broken (they jump from the frame before): {shown}"]


def _check_velocities(states: np.ndarray, spec: AMPStateSpec, dt: float) -> list[str]:
    """Compare stored velocities with the derivatives of positions."""
    features = spec.features
    columns = {f"joint_vel of {name}": i for i, name in enumerate(spec.joint_names)}
    pairs = {
        name: (states[:, features["joint_pos"].start + i], states[:, features["joint_vel"].start + i])
        for name, i in columns.items()
    }
    if spec.velocity_frame != "body":
        pairs["the root's vertical velocity"] = (states[:, 0], states[:, features["root_lin_vel"].start + 2])
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


def _check_limits(joint_pos: np.ndarray, robot: RobotModel) -> list[str]:
    low, high = robot.limits.T
    texts = []
    for joint, name in enumerate(robot.joint_names):
        positions = joint_pos[:, joint]
        if positions.min() < low[joint] - 1e-3 or positions.max() > high[joint] + 1e-3:
            found = f"{positions.min():.2f} to {positions.max():.2f}"
            texts.append(f"{name} goes from {found} rad; its limits are {low[joint]:.2f} to {high[joint]:.2f}")
    return texts


def _check_feet(states: np.ndarray, spec: AMPStateSpec, dt: float, robot: RobotModel) -> list[str]:
    names, points = robot.lowest_points(states, spec, dt)
    if not names:
        return ["no part of the robot ever touches the ground: wrong root height?"]
    texts = []
    for column, name in enumerate(names):
        height = points[:, column, 2]
        if height.min() < -PENETRATION:
            texts.append(f"{name} is {-height.min() * 1000:.0f} mm in the ground in frame {int(height.argmin())}")
        slip = foot_slip(points[:, column], dt)
        if slip is not None and slip > SLIP:
            texts.append(f"{name} slips at {slip:.2f} m/s while on the ground; up to {SLIP:g} m/s is usual")
    return texts


def foot_slip(points: np.ndarray, dt: float) -> float | None:
    """Compute the mean horizontal speed of a foot's lowest point (T, 3) in stance [m/s]; None if it has no stance."""
    contact = points[:, 2] < CONTACT_HEIGHT
    # At touch-down and lift-off a finite difference includes the swing.
    inner = contact[:-2] & contact[1:-1] & contact[2:]
    if not inner.any():
        return None
    velocity = (points[2:, :2] - points[:-2, :2]) / (2 * dt)
    return float(np.linalg.norm(velocity, axis=1)[inner].mean())
