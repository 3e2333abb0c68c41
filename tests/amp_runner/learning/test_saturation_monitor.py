import logging

from amp_runner.learning.saturation_monitor import SaturationMonitor


def statistics(reward, accuracy=0.99):
    return {"accuracy_expert": accuracy, "accuracy_policy": accuracy, "style_reward": reward}


def test_a_discriminator_that_has_won_is_reported_with_what_to_change(caplog):
    guard = SaturationMonitor(patience=5)
    with caplog.at_level(logging.WARNING):
        assert [guard.update(statistics(0.02)) for _ in range(4)] == [1, 2, 3, 4]
        assert not caplog.records
        assert guard.update(statistics(0.02)) == 5
    (record,) = caplog.records
    assert "input_noise" in record.message and "for 5 iterations" in record.message and "0.020" in record.message


def test_a_style_reward_that_moves_is_no_reason_to_warn(caplog):
    guard = SaturationMonitor(patience=5)
    for step in range(20):
        guard.update(statistics(0.02 + 0.001 * step))
    assert guard.iterations == 20 and not caplog.records


def test_a_style_reward_that_fades_away_has_stopped_moving(caplog):
    guard = SaturationMonitor(patience=5)
    for step in range(5):
        guard.update(statistics(1e-5 * 0.1**step))
    assert len(caplog.records) == 1


def test_the_count_goes_on_after_a_restart(caplog):
    guard, again = SaturationMonitor(patience=5), SaturationMonitor(patience=5)
    for _ in range(3):
        guard.update(statistics(0.02))
    again.load_state_dict(guard.state_dict())
    assert again.update(statistics(0.02)) == 4 and not caplog.records
    assert again.update(statistics(0.02)) == 5 and len(caplog.records) == 1


def test_one_iteration_of_doubt_starts_the_count_again(caplog):
    guard = SaturationMonitor(patience=5)
    for _ in range(4):
        guard.update(statistics(0.02))
    assert guard.update(statistics(0.02, accuracy=0.9)) == 0
    for _ in range(4):
        guard.update(statistics(0.02))
    assert not caplog.records


def test_zero_patience_never_warns(caplog):
    guard = SaturationMonitor(patience=0)
    for _ in range(300):
        guard.update(statistics(0.02))
    assert guard.iterations == 300 and not caplog.records
