import pytest
import torch

from amp_runner import ReplayBuffer


def windows(*values):
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1, 1)


def test_the_oldest_windows_are_overwritten():
    ring = ReplayBuffer(4, (1, 1))
    ring.insert(windows(1, 2, 3))
    assert len(ring) == 3
    assert set(ring.sample(100).flatten().tolist()) == {1, 2, 3}, "only what was inserted is drawn"
    ring.insert(windows(4, 5))
    assert len(ring) == 4
    assert set(ring.sample(200).flatten().tolist()) == {2, 3, 4, 5}


def test_state_survives():
    ring = ReplayBuffer(4, (1, 1))
    ring.insert(windows(1, 2, 3))
    other = ReplayBuffer(4, (1, 1))
    other.load_state_dict(ring.state_dict())
    for buffer in (ring, other):
        buffer.insert(windows(4, 5))
    assert torch.equal(ring.windows, other.windows)


@pytest.mark.parametrize(("capacity", "kept"), [(6, [3, 4, 5, 6]), (3, [4, 5, 6]), (0, [])])
def test_a_ring_of_another_capacity_takes_the_newest(capacity, kept):
    ring = ReplayBuffer(4, (1, 1))
    ring.insert(windows(1, 2, 3, 4))
    ring.insert(windows(5, 6))
    other = ReplayBuffer(capacity, (1, 1))
    other.load_state_dict(ring.state_dict())
    assert other.windows[: len(other)].flatten().tolist() == kept
    if capacity:
        other.insert(windows(7))
        assert set(other.windows[: len(other)].flatten().tolist()) == {*kept[len(kept) + 1 - min(capacity, 5) :], 7}
