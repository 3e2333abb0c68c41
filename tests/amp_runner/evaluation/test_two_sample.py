import numpy as np
import pytest

from amp_runner.evaluation.two_sample import (
    WINDOWS_PER_CELL,
    Part,
    balanced_windows,
    cross_validated_auc,
    precision_and_recall,
)

ONE = np.arange(3)


def parts(rng, shift=0.0, commands=10, size=3, length=100):
    return [Part(command, fold, rng.normal(size=(length, size)) + shift) for command in range(commands) for fold in (0, 1)]


def test_the_area_is_one_half_for_equal_gaits_and_one_for_different():
    rng = np.random.default_rng(0)
    first = parts(rng)
    assert cross_validated_auc(*balanced_windows(first, parts(rng), 1, ONE)) == pytest.approx(0.5, abs=0.05)
    assert cross_validated_auc(*balanced_windows(first, parts(rng, 5.0), 1, ONE)) > 0.99
    # Two normals one standard deviation apart in each of three numbers: Phi(sqrt(3) / sqrt(2)) = 0.89.
    assert cross_validated_auc(*balanced_windows(first, parts(rng, 1.0), 1, ONE)) == pytest.approx(0.89, abs=0.03)


def test_robots_that_differ_from_each_other_are_not_recognised_by_having_been_seen():
    """Every part has its own offset: a classifier tested on parts it was trained on would separate them perfectly."""
    rng = np.random.default_rng(1)

    def own():
        return [Part(c, f, 0.1 * rng.normal(size=(100, 3)) + rng.normal(size=3)) for c in range(28) for f in (0, 1)]

    areas = [cross_validated_auc(*balanced_windows(own(), own(), 1, ONE)) for _ in range(8)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)


def test_commands_on_one_side_only_do_not_count():
    rng = np.random.default_rng(0)
    first = parts(rng) + [Part(99, fold, 50 + rng.normal(size=(100, 3))) for fold in (0, 1)]
    windows = balanced_windows(first, parts(rng), 1, ONE)
    assert 99 not in windows[0].command
    assert cross_validated_auc(*windows) == pytest.approx(0.5, abs=0.05)


def test_both_sides_have_equally_many_windows_of_each_command_and_fold():
    first = [Part(0, 0, np.zeros((12, 3))), Part(0, 1, np.zeros((500, 3))), Part(1, 0, np.zeros((4, 3)))]
    second = [Part(0, 0, np.zeros((500, 3))), Part(0, 1, np.zeros((500, 3))), Part(1, 0, np.zeros((500, 3)))]
    for windows in balanced_windows(first, second, 5, ONE[:2]):
        assert windows.values.shape == (8 + WINDOWS_PER_CELL, 10)
        assert np.bincount(windows.fold).tolist() == [8, WINDOWS_PER_CELL]
        assert not windows.command.any(), "four frames hold no window of five"


def test_without_a_fold_to_test_on_there_is_no_area():
    one_fold = [Part(0, 0, np.zeros((50, 3)))]
    assert np.isnan(cross_validated_auc(*balanced_windows(one_fold, one_fold, 1, ONE)))
    assert np.isnan(precision_and_recall(*balanced_windows([], one_fold, 1, ONE))).all()


def test_precision_and_recall_of_a_subset():
    """Inside one of two clusters, a policy is precise but covers half of the reference; the reverse for the reverse."""
    rng = np.random.default_rng(0)
    near, far = ([Part(c, f, rng.normal(size=(80, 3)) + shift) for c in range(5) for f in (0, 1)] for shift in (0.0, 100.0))
    # Half of the windows of each cell are near, half are far.
    both = [Part(a.command, a.fold, np.concatenate([a.states[:40], b.states[:40]])) for a, b in zip(near, far)]
    subset = [Part(p.command, p.fold, rng.normal(size=(80, 3))) for p in near]
    precision, recall = precision_and_recall(*balanced_windows(both, subset, 1, ONE))
    assert precision > 0.9 and recall == pytest.approx(0.5, abs=0.05)
    precision, recall = precision_and_recall(*balanced_windows(subset, both, 1, ONE))
    assert recall > 0.9 and precision == pytest.approx(0.5, abs=0.05)
