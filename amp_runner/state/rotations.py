"""Rotations as quaternions, xyzw, and as pairs of axes."""

from __future__ import annotations

import torch


def rotate_inverse(quat: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Rotate ``vector`` (..., 3) by the inverse of the unit quaternion ``quat`` (..., 4), xyzw."""
    axis, w = -quat[..., :3], quat[..., 3:]
    twice = 2.0 * torch.cross(axis, vector, dim=-1)
    return vector + w * twice + torch.cross(axis, twice, dim=-1)


def rotate(quat: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Rotate ``vector`` (..., 3) by the unit quaternion ``quat`` (..., 4), xyzw."""
    return rotate_inverse(conjugate(quat), vector)


def conjugate(quat: torch.Tensor) -> torch.Tensor:
    """The inverse of the unit quaternion ``quat`` (..., 4), xyzw."""
    return torch.cat([-quat[..., :3], quat[..., 3:]], dim=-1)


def multiply(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The rotation ``second`` followed by ``first``, both xyzw (..., 4)."""
    vector = (
        first[..., 3:] * second[..., :3]
        + second[..., 3:] * first[..., :3]
        + torch.cross(first[..., :3], second[..., :3], dim=-1)
    )
    scalar = first[..., 3:] * second[..., 3:] - (first[..., :3] * second[..., :3]).sum(dim=-1, keepdim=True)
    return torch.cat([vector, scalar], dim=-1)


def yaw_quat(quat: torch.Tensor) -> torch.Tensor:
    """The rotation about the world's z axis contained in ``quat`` (..., 4), xyzw: the yaw of yaw-pitch-roll angles."""
    x, y, z, w = quat.unbind(-1)
    return quat_from_yaw(torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)))


def quat_from_yaw(yaw: torch.Tensor) -> torch.Tensor:
    """The rotation about the z axis by ``yaw`` (...) [rad], xyzw (..., 4)."""
    zero = torch.zeros_like(yaw)
    return torch.stack([zero, zero, torch.sin(0.5 * yaw), torch.cos(0.5 * yaw)], dim=-1)


def gravity_to_quat(gravity: torch.Tensor) -> torch.Tensor:
    """Return the orientation without yaw, xyzw (..., 4), in which the body sees gravity as ``gravity`` (..., 3)."""
    x, y, z = gravity.unbind(-1)
    half_roll, half_pitch = 0.5 * torch.atan2(-y, -z), 0.5 * torch.asin(x.clamp(-1, 1))
    roll, pitch = (torch.sin(half_roll), torch.cos(half_roll)), (torch.sin(half_pitch), torch.cos(half_pitch))
    return torch.stack([roll[0] * pitch[1], roll[1] * pitch[0], -roll[0] * pitch[0], roll[1] * pitch[1]], dim=-1)


def tangent_normal(quat: torch.Tensor) -> torch.Tensor:
    """The body's x axis (tangent) and z axis (normal) in the parent frame, (..., 6); ``quat`` is xyzw (..., 4)."""
    axes = torch.eye(3, dtype=quat.dtype, device=quat.device)
    return torch.cat([rotate(quat, axes[axis].expand_as(quat[..., :3])) for axis in (0, 2)], dim=-1)


def tangent_normal_to_quat(axes: torch.Tensor) -> torch.Tensor:
    """Return the orientation, xyzw (..., 4), whose x and z axes are ``axes`` (..., 6), by Gram and Schmidt."""
    x = torch.nn.functional.normalize(axes[..., :3], dim=-1)
    z = axes[..., 3:] - (axes[..., 3:] * x).sum(dim=-1, keepdim=True) * x
    z = torch.nn.functional.normalize(z, dim=-1)
    # The body sees gravity as the last row of its rotation matrix, downward; what remains is yaw.
    y = torch.cross(z, x, dim=-1)
    tilt = gravity_to_quat(-torch.stack([x[..., 2], y[..., 2], z[..., 2]], dim=-1))
    level = rotate(tilt, torch.eye(3, dtype=axes.dtype, device=axes.device)[0].expand_as(x))
    yaw = torch.atan2(x[..., 1], x[..., 0]) - torch.atan2(level[..., 1], level[..., 0])
    return multiply(quat_from_yaw(yaw), tilt)
