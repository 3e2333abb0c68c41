"""What the commands share: error lines, and outputs that are tried before the work."""

import errno

import pytest

from amp_runner import ConfigError
from amp_runner.cli.common import check_folder, make_folder, run_command


@pytest.mark.parametrize(
    ("module", "package"),
    [("onnxruntime", "'amp-runner[deploy]'"), ("PIL.Image", "'amp-runner[motion]'"), ("tensorboard", "tensorboard")],
)
def test_a_missing_module_names_what_to_install(module, package, capsys):
    def run(_):
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    assert run_command("amp-eval", run, []) == 2
    assert (
        capsys.readouterr().err == f"amp-eval: error: No module named '{module}'; install it with: pip install {package}\n"
    )


def test_a_home_folder_that_cannot_be_written_is_named(monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/proc/nobody")

    def run(_):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/nobody/.cache/warp")

    assert run_command("amp-train", run, []) == 2
    assert "the home folder cannot be written: set HOME" in capsys.readouterr().err


def test_outputs_are_tried_before_the_work(tmp_path):
    check_folder("--json", str(tmp_path / "a.json"))
    assert make_folder("--plots", str(tmp_path / "new" / "plots")).is_dir()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()], "nothing is left"
    for check, path, words in (
        (check_folder, tmp_path / "none" / "a.json", "the folder does not exist"),
        (check_folder, tmp_path, "is a folder; expected the name of a file"),
        (check_folder, "/proc/a.json", "nothing can be written into /proc"),
        (make_folder, "/proc/a", "cannot be made"),
        (make_folder, __file__, "is a file; expected a folder"),
    ):
        with pytest.raises(ConfigError, match=words):
            check("--out", str(path))
