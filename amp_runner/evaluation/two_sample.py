"""Two-sample measures of windows at matched commands: a classifier's AUC, precision and recall.

W windows of K frames of D numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

WINDOWS_PER_CELL = 100
"""Most windows of one command and fold."""
_NUM_NEIGHBOURS = 10  # one in so many windows is a neighbour
_MIN_STD = 1e-2  # [m, rad, m/s, rad/s]; smaller differences are not magnified
_NUM_FEATURES, _RIDGE = 500, 1e-4


@dataclass(frozen=True)
class Part:
    """A piece of motion that is in one fold as a whole: it is either trained on or tested on."""

    command: int
    """Number of the command."""
    fold: int
    """0 or 1."""
    states: np.ndarray
    """Consecutive states, (T, D)."""


@dataclass(frozen=True)
class Windows:
    """Windows with their command and fold."""

    values: np.ndarray
    """Flattened windows, (W, K * D)."""
    command: np.ndarray
    """Number of each window's command, (W,)."""
    fold: np.ndarray
    """Fold of each window, (W,)."""

    def select(self, mask: np.ndarray) -> Windows:
        """Return some of the windows, by index or mask (W,)."""
        return Windows(self.values[mask], self.command[mask], self.fold[mask])


def balanced_windows(
    first: Sequence[Part], second: Sequence[Part], num_frames: int, columns: np.ndarray
) -> tuple[Windows, Windows]:
    """Draw as many windows from one gait as from the other, at every command and in every fold.

    Args:
        first: parts of one gait.
        second: parts of the other gait.
        num_frames: K, frames of a window.
        columns: the columns of the states that are used, (D',).

    Returns:
        Windows of both gaits, at most :data:`WINDOWS_PER_CELL` for each command and fold.
    """
    rng = np.random.default_rng(0)
    cells = [_cells(parts, num_frames) for parts in (first, second)]
    chosen: list[list[Windows]] = [[], []]
    for cell in sorted(cells[0].keys() & cells[1].keys()):
        starts = [_window_starts(side[cell], num_frames) for side in cells]
        count = min(WINDOWS_PER_CELL, *map(len, starts))
        for side, first_frames, windows in zip(cells, starts, chosen):
            drawn = rng.permutation(first_frames)[:count, None] + np.arange(num_frames)
            values = np.concatenate(side[cell])[drawn][..., columns].reshape(count, -1).astype(np.float64)
            windows.append(Windows(values, np.full(count, cell[0]), np.full(count, cell[1])))
    empty = Windows(np.zeros((0, num_frames * len(columns))), np.zeros(0, int), np.zeros(0, int))
    joined = [
        Windows(*(np.concatenate([getattr(w, name) for w in (empty, *side)]) for name in ("values", "command", "fold")))
        for side in chosen
    ]
    return joined[0], joined[1]


def _cells(parts: Sequence[Part], num_frames: int) -> dict[tuple[int, int], list[np.ndarray]]:
    """Sequences of at least one window, by command and fold."""
    cells: dict[tuple[int, int], list[np.ndarray]] = {}
    for part in parts:
        if len(part.states) >= num_frames:
            cells.setdefault((part.command, part.fold), []).append(part.states)
    return cells


def _window_starts(sequences: Sequence[np.ndarray], num_frames: int) -> np.ndarray:
    """Frames of the joined sequences at which a window begins that lies within one sequence."""
    offsets = np.cumsum([0, *map(len, sequences)])
    return np.concatenate([offset + np.arange(len(s) - num_frames + 1) for offset, s in zip(offsets, sequences)])


def cross_validated_auc(first: Windows, second: Windows) -> float:
    """Compute how well a classifier separates two balanced sets of windows: 0.5 is chance, 1 is perfect.

    A classifier is trained on one fold of both sets and tested on the other, then the reverse (Lopez-Paz and Oquab 2017).
    The area under the ROC curve is computed at each command of the tested fold, and averaged.

    Returns:
        The area; NaN if one of the folds is empty.
    """
    areas = []
    for tested in (0, 1):
        train, test = ([w.select((w.fold == tested) == held_out) for w in (first, second)] for held_out in (False, True))
        if not len(train[0].values) or not len(test[0].values):
            return float("nan")
        scores = _classify([w.values for w in train], [w.values for w in test])
        for command in np.unique(test[0].command):
            areas.append(_area(*(s[w.command == command] for s, w in zip(scores, test))))
    return float(np.mean(areas))


def _classify(train: list[np.ndarray], test: list[np.ndarray]) -> list[np.ndarray]:
    """Train a classifier on two sets of windows (W, F); returns the scores (W,) of two other sets.

    Ridge regression of the label on the windows and on random Fourier features of a Gaussian kernel, whose width is the
    root mean square distance of a window from the mean (Rahimi and Recht 2007). Unlike a small network, it is solved
    exactly: the result does not depend on the length of a training.
    """
    pooled = np.concatenate(train)
    mean, std, rng = pooled.mean(axis=0), pooled.std(axis=0) + _MIN_STD, np.random.default_rng(0)
    projection = (rng.normal(size=(pooled.shape[1], _NUM_FEATURES)) / np.sqrt(pooled.shape[1])).astype(np.float32)
    offset = rng.uniform(0.0, 2 * np.pi, _NUM_FEATURES).astype(np.float32)

    def features(windows: np.ndarray) -> np.ndarray:
        scaled = np.clip((windows - mean) / std, -10.0, 10.0).astype(np.float32)
        return np.hstack([np.cos(scaled @ projection + offset), scaled / np.float32(np.sqrt(scaled.shape[1]))])

    inputs = features(pooled)
    centre = inputs.mean(axis=0)
    inputs -= centre
    labels = np.repeat([1.0, -1.0], [len(train[0]), len(train[1])])
    gram = inputs.T @ inputs + _RIDGE * len(inputs) * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs.T @ labels)
    return [(features(windows) - centre) @ weights for windows in test]


def _area(first: np.ndarray, second: np.ndarray) -> float:
    """Probability that a score of the first set is the larger one, ties counting half (Mann and Whitney 1947)."""
    ranks = _ranks(np.concatenate([first, second]))
    count = len(first)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(second)))


def precision_and_recall(reference: Windows, policy: Windows) -> tuple[float, float]:
    """Compute precision and recall of the policy's windows, each the mean over the commands.

    Precision is the share of policy windows inside the reference's manifold, recall the share of reference windows inside
    the policy's (Kynkäänniemi et al. 2019). A manifold is the union of balls around its windows that reach to the k-th
    nearest of the other windows at the same command. Here k is a tenth of the windows, not 3: consecutive windows of a
    periodic gait, and the same phase of its strides, are almost equal. Lengths are in standard deviations of the reference
    at all commands.

    Returns:
        Precision and recall, 0 to 1; NaN without windows.
    """
    if not len(reference.values):
        return float("nan"), float("nan")
    scale = reference.values.std(axis=0) + _MIN_STD
    shares = []
    for command in np.unique(reference.command):
        expert, own = (w.values[w.command == command] / scale for w in (reference, policy))
        between = _distances(expert, own)
        shares.append((_inside(expert, between), _inside(own, between.T)))
    precision, recall = np.mean(shares, axis=0)
    return float(precision), float(recall)


def _inside(manifold: np.ndarray, distance: np.ndarray) -> float:
    """Share of other windows inside the manifold of windows (M, F), by the distances (M, W) between them."""
    neighbour = max(1, round(len(manifold) / _NUM_NEIGHBOURS))
    within = np.sort(_distances(manifold, manifold), axis=1)  # the first is the window itself
    radius = within[:, min(neighbour, len(manifold) - 1)]
    return float((distance <= radius[:, None]).any(axis=0).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances between rows of (A, F) and (B, F), (A, B)."""
    # Not by products of matrices, with which equal rows are not exactly at distance 0.
    mode = "donot_use_mm_for_euclid_dist"
    return torch.cdist(torch.from_numpy(a), torch.from_numpy(b), compute_mode=mode).numpy()


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[inverse]
