import numpy as np

from amp_runner.cli.command_schedule import command_at
from amp_runner.cli.record import cut_clips


def test_clips_end_with_episodes_and_falls_are_cut_with_a_margin():
    ends = np.zeros((100, 2), dtype=int)
    ends[40, 0] = 1  # in time
    ends[70, 0] = 2  # a fall
    clips = cut_clips(ends, skip=5, margin=10, shortest=8)
    assert clips == [(0, 5, 40), (0, 45, 60), (0, 75, 100), (1, 5, 100)]


def test_short_remains_are_dropped():
    ends = np.zeros((20, 1), dtype=int)
    ends[12, 0] = 2
    assert cut_clips(ends, skip=5, margin=4, shortest=4) == []


def test_a_schedule_of_commands_is_gone_through_again_and_again():
    schedule = [[0.3, 0.0, 0.0, 2.0], [0.6, 0.1, 0.2, 1.0]]
    found = [command_at(schedule, time)[0] for time in (0.0, 1.99, 2.0, 2.99, 3.0, 5.5)]
    assert found == [0.3, 0.3, 0.6, 0.6, 0.3, 0.6]
    assert command_at([[0.5, 0.0, 0.0]], 100.0) == [0.5, 0.0, 0.0]
