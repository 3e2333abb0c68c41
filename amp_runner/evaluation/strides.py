"""Strides: mean cycles of the joints, their distance, and the phases between joints and between legs.

T time steps, S strides, J joints; P phases of a cycle.
"""

from __future__ import annotations

import numpy as np

from amp_runner.evaluation.gait_metrics import dominant_frequency
from amp_runner.evaluation.legs import Leg

NUM_PHASES = 50
"""Samples of a cycle."""
WARPING_BAND = 0.1
"""Largest warping in time, in fractions of a stride."""


def gait_phase(signal: np.ndarray, dt: float) -> np.ndarray:
    """Compute the phase of a periodic signal, in strides: a whole number where its fundamental is largest.

    The fundamental is what remains of the signal's spectrum within half an octave of the dominant frequency; the phase is
    that of its analytic signal (Gabor 1946).

    Args:
        signal: position of a joint, (T,).
        dt: time step [s].

    Returns:
        Continuous phase, (T,).
    """
    frequency = float(dominant_frequency(signal, dt))
    spectrum = np.fft.fft(signal - signal.mean())
    frequencies = np.fft.fftfreq(len(signal), dt)
    octaves = np.abs(np.log2(np.maximum(frequencies, 1e-9) / frequency))
    analytic = np.fft.ifft(np.where(octaves <= 0.5, spectrum, 0.0))
    return np.unwrap(np.angle(analytic)) / (2 * np.pi)


def stride_cycles(joint_pos: np.ndarray, hip: int, dt: float) -> np.ndarray:
    """Cut a recording into strides, from one maximum of the hip to the next.

    The first and the last stride are left out: the phase is uncertain at the ends of a recording.

    Args:
        joint_pos: joint positions, (T, J) [rad].
        hip: index of the joint that swings the first leg.
        dt: time step [s].

    Returns:
        Joint positions over the phase, (S, P, J) [rad]; S is 0 if the recording holds fewer than three strides.
    """
    phase = gait_phase(joint_pos[:, hip], dt)
    first, last = int(np.ceil(phase[0])) + 1, int(np.floor(phase[-1])) - 1
    num_joints = joint_pos.shape[1]
    if last <= first:
        return np.zeros((0, NUM_PHASES, num_joints))
    grid = first + np.arange((last - first) * NUM_PHASES) / NUM_PHASES
    # Noise can turn the phase back for a moment; interpolation needs it to rise.
    rising = np.maximum.accumulate(phase)
    cycles = np.stack([np.interp(grid, rising, joint_pos[:, joint]) for joint in range(num_joints)], axis=-1)
    return cycles.reshape(-1, NUM_PHASES, num_joints)


def stride_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Compute the distance of two mean cycles by dynamic time warping [rad].

    Symmetric steps of Sakoe and Chiba (1978), whose paths all have the weight 2 P, within a band of :data:`WARPING_BAND`;
    the smallest over all circular shifts.

    Args:
        first: joint positions over the phase, (P, J) [rad].
        second: the same of the other gait, (P, J) [rad].

    Returns:
        Root mean square over the path and the joints [rad].
    """
    count = len(first)
    shifted = np.stack([np.roll(second, shift, axis=0) for shift in range(count)])
    cost = np.square(first[:, None] - shifted[:, None]).mean(axis=-1)  # (shift, P, P)
    band = round(WARPING_BAND * count)
    total = np.full((count, count + 1, count + 1), np.inf)
    total[:, 0, 0] = 0.0
    for row in range(1, count + 1):
        for column in range(max(1, row - band), min(count, row + band) + 1):
            step = cost[:, row - 1, column - 1]
            straight = np.minimum(total[:, row - 1, column], total[:, row, column - 1]) + step
            total[:, row, column] = np.minimum(straight, total[:, row - 1, column - 1] + 2 * step)
    return float(np.sqrt(total[:, -1, -1].min() / (2 * count)))


def fundamental_phase(cycle: np.ndarray) -> np.ndarray:
    """Compute at which phase the fundamental of each joint is largest, (J,), in fractions of a stride, of a cycle (P, J)."""
    return -np.angle(np.fft.fft(cycle, axis=0)[1]) / (2 * np.pi) % 1.0


def joint_lags(cycle: np.ndarray, legs: list[Leg]) -> np.ndarray:
    """Compute how far each leg's knee follows its hip, (L,), in fractions of a stride, from 0 to 1.

    The lag of the largest cross-correlation of the two fundamentals, of the legs that have a knee.

    Args:
        cycle: joint positions over the phase, (P, J) [rad].
        legs: the legs.
    """
    phase = fundamental_phase(cycle)
    return np.array([(phase[leg.knee] - phase[leg.hip]) % 1.0 for leg in legs if leg.knee is not None])


def leg_phases(cycle: np.ndarray, legs: list[Leg]) -> np.ndarray:
    """Compute how far each leg's hip follows the first leg's, (L,), in fractions of a stride, from 0 to 1.

    Args:
        cycle: joint positions over the phase, (P, J) [rad].
        legs: the legs.
    """
    phase = fundamental_phase(cycle)
    return np.array([(phase[leg.hip] - phase[legs[0].hip]) % 1.0 for leg in legs])


def phase_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the absolute difference of phases on the circle, from 0 to 0.5, in fractions of a stride."""
    return np.abs((first - second + 0.5) % 1.0 - 0.5)


def mean_phase(phases: np.ndarray) -> np.ndarray:
    """Return the mean on the circle over the first axis, from 0 to 1, in fractions of a stride."""
    # Rounded so that -1e-17 is 0 and not almost 1.
    return np.round(np.angle(np.exp(2j * np.pi * phases).mean(axis=0)) / (2 * np.pi), 9) % 1.0
