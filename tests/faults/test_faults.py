"""Short runs of the programs in this folder."""

import pytest

from tests.faults import damaged_files, kills, soak
from tests.faults.corpus import FORMATS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")]


def test_damaged_files_are_read_or_refused():
    assert damaged_files.run(1500, seed=0, names=list(FORMATS)) == []


def test_a_killed_training_loses_no_more_than_promised():
    assert kills.run(10, seed=0, longest=0.2) == []


def test_a_training_does_not_grow():
    measured = soak.run(200)
    assert measured["memory at the end over memory after a tenth"] < 1 + soak.MAX_GROWTH
    assert measured["checkpoints"] <= 3
