import pytest

from amp_runner.cli import eval as amp_eval


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--matched", "--speeds", "0.5"], "--matched and --speeds: expected one of them; both choose the commands"),
        (["--seconds", "2"], "--seconds 2: expected 2.5 to 3600"),
        (["--num_envs", "1"], "--num_envs 1: expected at least 2"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys):
    assert amp_eval.main(["--export", "none", "--motion", "none.npz", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"amp-eval: error: {words}") and error.count("\n") == 1
