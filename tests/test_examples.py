"""The examples, as they stand."""

import pytest

from examples import plain_vec_env


@pytest.mark.slow
def test_points_learn_to_sway_like_their_reference():
    """A whole training on the CPU: does AMP learn?"""
    result = plain_vec_env.main([])
    assert result["before"] < 0.6 * result["reference"]
    assert result["after"] == pytest.approx(result["reference"], rel=0.25)
