"""When a discriminator counts as saturated, and when it does not."""

import logging

import pytest

from amp_runner.learning.saturation_monitor import SaturationMonitor


def run(monitor, scores, accuracy=0.99):
    return [monitor.update(accuracy, accuracy, score) for score in scores]


def test_a_low_score_that_does_not_rise_is_saturation(caplog):
    monitor = SaturationMonitor(patience=5)
    with caplog.at_level(logging.WARNING):
        assert run(monitor, [0.02] * 4) == [0, 0, 0, 0]
        assert not caplog.records
        assert run(monitor, [0.02] * 3) == [1, 2, 3]
    (record,) = caplog.records
    assert "input_noise" in record.message and "0.020 without a rise over the last 5 iterations" in record.message


def test_the_warning_is_repeated_every_patience_iterations(caplog):
    run(SaturationMonitor(patience=5), [0.02] * 15)
    assert len(caplog.records) == 3


def test_a_fading_score_is_saturation(caplog):
    assert run(SaturationMonitor(patience=5), [1e-5 * 0.1**step for step in range(5)])[-1] == 1
    assert len(caplog.records) == 1


def test_a_run_that_learns_is_never_saturated_however_high_the_accuracy(caplog):
    """The default run: accuracies above 0.95 throughout, the score climbs from 0.11 to 0.55 and stays there."""
    scores = [0.11 + min(1.0, step / 300) * 0.44 for step in range(470)]
    assert set(run(SaturationMonitor(patience=100), scores, accuracy=0.97)) == {0}
    assert not caplog.records


def test_one_iteration_of_low_accuracy_restarts_the_count():
    monitor = SaturationMonitor(patience=5)
    run(monitor, [0.02] * 4)
    assert run(monitor, [0.02], accuracy=0.9) == [0]
    assert run(monitor, [0.02] * 5) == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("patience", [0, 1])
def test_patience_zero_disables_the_monitor_and_one_warns_at_once(patience, caplog):
    assert run(SaturationMonitor(patience), [0.02] * 300)[-1] == 300 * patience
    assert len(caplog.records) == 300 * patience
