"""How the body moves over the feet: solved for, not drawn.

Fore-aft and sideways the body is the periodic motion of an inverted pendulum over the centre of pressure that the feet
allow (Kajita et al. 2001, "The 3D linear inverted pendulum mode"), in a run with the vertical force that changes from step
to step. Up and down a running body follows that force and is ballistic in flight; a walking one makes a small wave.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags_array
from scipy.sparse.linalg import spsolve

from ostrich_env.gait.footfall import GaitParameters, foot_load, foothold, is_run, path, rotate
from ostrich_env.robot.description import STANDING_HEIGHT

_GRAVITY = 9.81  # [m/s^2]
_SAMPLES = 1024  # of a period
_HARMONICS = 40  # beyond, nothing is left but the corners of the pressure path


def height_deviation(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray) -> np.ndarray:
    """Deviation of the body's height from its mean, shape (T,) [m].

    A walking body vaults over its legs and is highest in mid-stance; a running one bounces and is lowest there.
    """
    if not is_run(gait.duty_factor(command)):
        return (gait.bob + gait.bob_per_speed * gait.speed(command)) * np.cos(4 * np.pi * time / period)
    grid = np.arange(_SAMPLES) / _SAMPLES * period
    loads, _ = _feet(command, period, gait, grid)
    spectrum = np.fft.rfft(_GRAVITY * (loads[0] + loads[1])) / _SAMPLES
    harmonics = 2 * np.pi * np.arange(len(spectrum)) / period
    spectrum[0], spectrum[1:] = 0.0, spectrum[1:] / -(harmonics[1:] ** 2)  # integrated twice
    return _at(spectrum, harmonics, time)


def planar_deviation(command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray) -> np.ndarray:
    """Periodic deviation of the body from the nominal path, in the heading frame, shape (T, 2) [m].

    An inverted pendulum of height h that carries the vertical force f (1: the weight) obeys x'' = (g / h) (f x - q), where
    q is the sum of the feet's places, each times its load: the centre of pressure, where f = 1.
    """
    grid = np.arange(_SAMPLES) / _SAMPLES * period
    loads, places = _feet(command, period, gait, grid)
    pressure = loads[0][:, None] * places[0] + loads[1][:, None] * places[1]
    squared = _GRAVITY / STANDING_HEIGHT
    harmonics = 2 * np.pi * np.arange(_SAMPLES // 2 + 1) / period
    if is_run(gait.duty_factor(command)):
        deviation = _bounded_solution(loads[0] + loads[1], pressure, squared, period / _SAMPLES)
        return _at(np.fft.rfft(deviation, axis=0) / _SAMPLES, harmonics, time)
    # With f = 1 the bounded solution has X_n = Q_n w^2 / (w^2 + (2 pi n / period)^2), w^2 = g / h.
    spectrum = np.fft.rfft(pressure, axis=0) / _SAMPLES
    return _at(spectrum * (squared / (squared + harmonics**2))[:, None], harmonics, time)


def _bounded_solution(force: np.ndarray, pressure: np.ndarray, squared: float, dt: float) -> np.ndarray:
    """Periodic solution of x'' = squared (force x - pressure), (N, 2), by central differences."""
    last = len(force) - 1
    second = diags_array([1.0, 1.0, -2.0, 1.0, 1.0], offsets=[-last, -1, 0, 1, last], shape=(last + 1, last + 1)) / dt**2
    return spsolve((second - squared * diags_array(force)).tocsc(), -squared * pressure)


def _feet(
    command: np.ndarray, period: float, gait: GaitParameters, time: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Of each foot: its load (T,), and where it stands, from the nominal path, in the heading frame (T, 2) [m]."""
    duty_factor = gait.duty_factor(command)
    loads, places = [], []
    for side in (0, 1):
        strides = time / period + 0.5 * duty_factor - 0.5 * side
        loads.append(foot_load(strides % 1.0, duty_factor))
        middle = (np.floor(strides) + 0.5 * side) * period
        places.append(rotate(-command[2] * time, foothold(command, gait, middle, side) - path(command, time)))
    return loads, places


def _at(spectrum: np.ndarray, harmonics: np.ndarray, time: np.ndarray) -> np.ndarray:
    """The periodic function with this spectrum (:func:`numpy.fft.rfft`'s, by samples) at some times."""
    spectrum = spectrum[:_HARMONICS].copy()
    spectrum[1:] *= 2.0  # the other half
    waves = np.exp(1j * np.outer(time, harmonics[:_HARMONICS]))
    return (waves @ spectrum).real
