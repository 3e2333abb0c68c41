import dataclasses

import numpy as np
import pytest

from amp_runner import ConfigError
from amp_runner.evaluation.matching import NUM_COMMANDS, match, matched_commands
from tests.amp_runner.evaluation.synthetic import BIPED, DT, gait, motion, recording

RANGES = {"lin_vel_x": [-0.8, 0.8], "lin_vel_y": [-0.5, 0.5], "ang_vel_z": [-0.3, 0.3]}


def forward(*speeds):
    return np.array([(speed, 0.0, 0.0) for speed in speeds])


def test_the_commands_are_those_of_the_clips_within_the_ranges_once_each_and_zero():
    clips = np.vstack([forward(0.0, 0.2, 0.2, 0.2001, 0.5, 0.9), [(0.2, 0.6, 0.0), (0.2, 0.4, 0.0)]])
    np.testing.assert_allclose(matched_commands(clips, RANGES), [[0.2, 0, 0], [0.2, 0.4, 0], [0.5, 0, 0], [0, 0, 0]])


def test_more_commands_than_are_needed_are_thinned_evenly():
    grid = matched_commands(forward(*np.linspace(0.1, 0.8, 200)), RANGES)
    assert len(grid) == NUM_COMMANDS + 1
    assert grid[:-1, 0].min() == pytest.approx(0.1) and grid[:-1, 0].max() == pytest.approx(0.8)
    assert np.diff(grid[:-1, 0]).max() < 0.06, "0.7 over 27 steps is 0.026"


def test_zero_is_left_out_where_the_task_never_commands_it():
    assert matched_commands(forward(0.5), {**RANGES, "lin_vel_x": [0.3, 0.8]}).tolist() == [[0.5, 0, 0]]


def test_commands_just_outside_of_the_ranges_are_limited_to_them():
    grid = matched_commands(np.array([(0.5, 0.01, 0.0)]), {**RANGES, "lin_vel_y": [0.0, 0.0]})
    np.testing.assert_allclose(grid, [[0.5, 0, 0], [0, 0, 0]])


def test_a_reference_outside_of_the_ranges_is_refused():
    with pytest.raises(ConfigError, match="no clip moves at a command within the task's ranges"):
        matched_commands(forward(0.0, 1.2), RANGES)


def test_robots_and_clips_of_one_command_are_paired():
    clips = motion(BIPED, [gait(BIPED, (v, 0, 0)) for v in (0.3, 0.3, 0.5, 0.9, 0.0)], forward(0.3, 0.301, 0.5, 0.9, 0.0))
    commands = forward(0.5, 0.3, 0.3, 0.7, 0.0)
    pairs = match(recording(BIPED, [gait(BIPED, c) for c in commands], commands), clips)
    assert [(p.command[0], len(p.clips), len(p.robots)) for p in pairs] == [(0.3, 2, 2), (0.5, 1, 1)]


def test_the_settling_time_of_every_episode_is_left_out():
    command = (0.5, 0.0, 0.0)
    walk = recording(BIPED, [gait(BIPED, command)], [command])
    time = walk.episode_time.copy()
    time[250:, 0] -= 250 * DT  # a fall at 5 s
    ((pair),) = match(dataclasses.replace(walk, episode_time=time), motion(BIPED, [gait(BIPED, command)], [command]))
    assert [len(episode) for episode in pair.robots[0]] == [149, 49]


@pytest.mark.parametrize("frames", [25, 26])
def test_a_single_stride_is_repeated_if_it_is_a_loop(frames):
    command = (0.5, 0.0, 0.0)
    states, walk = gait(BIPED, command), recording(BIPED, [gait(BIPED, command)], [command])
    (pair,) = match(walk, motion(BIPED, [states[:frames]], [command]))
    np.testing.assert_allclose(pair.clips[0], states[np.arange(150) % 25], atol=1e-6)
    (pair,) = match(walk, motion(BIPED, [states[:18]], [command]))
    assert len(pair.clips[0]) == 18, "its end does not meet its beginning"
