"""The commands of the README as they stand, at a small size; those of the site with the arguments that exist."""

import importlib
import re
import shlex

import pytest

from amp_runner.cli import common
from tests.conftest import REPOSITORY
from tests.sim.simulator import run_command

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

SMALLER = {
    "train": ["--num_envs", "16", "--max_iterations", "1", "--device", "cpu"],
    "eval": ["--num_envs", "4", "--seconds", "2.5"],
    "play": ["--seconds", "0.5"],
    "record": ["--num_envs", "2", "--steps", "120"],
    "export": [],
    "motion": [],
}


ISAACLAB = (
    "--checkpoint", "--device", "--distributed", "--logger", "--max_iterations", "--no-resume_optimizer_state", "--num_envs",
    "--run_name", "--seed", "--task", "--video", "--video_interval", "--video_length", "--viz",
)  # fmt: skip
"""Arguments of Isaac Lab's launcher and of its training command."""


def commands(path):
    """The lines ``amp-...`` of a page's code blocks, joined where they are continued, with its shell variables replaced."""
    found, variables = [], {}
    for block in re.findall(r"```bash\n(.*?)```", path.read_text(), flags=re.S):
        for line in block.replace("\\\n", " ").splitlines():
            assignment = re.match(r'(\w+)="(.*?)"', line)
            if assignment:
                variables[assignment[1]] = assignment[2]
            for name, value in variables.items():
                line = line.replace(f"${name}", value)
            words = shlex.split(line, comments=True)
            if words and words[0].startswith("amp-"):
                found.append(words)
    return found


README = commands(REPOSITORY / "README.md")
PAGES = [path for path in sorted((REPOSITORY / "docs").rglob("*.md")) if "_" not in path.parts[-2]]


def test_the_readme_shows_every_command():
    assert {words[0] for words in README} == {f"amp-{name}" for name in SMALLER}


@pytest.mark.parametrize("words", README, ids=" ".join)
def test_the_readmes_commands_run(words, tmp_path, monkeypatch):
    for folder in ("motions", "policies", "configs"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    name = words[0].removeprefix("amp-")
    if words[:2] == ["amp-motion", "view"]:
        words = [*words, "--png", "view.png"]  # the page itself is tested in a browser
    if "--web" in words:
        words = [*words, "--port", "8320"]
    process = run_command(name, *words[1:], *SMALLER[name], cwd=tmp_path)
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-2000:]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_pages_use_arguments_that_exist(path, monkeypatch):
    for words in commands(path):
        name = words[0].removeprefix("amp-")
        module = importlib.import_module(f"amp_runner.cli.{name}")
        parsed, rest = module._parser().parse_known_args(words[1:])
        if name in ("play", "eval"):
            common.runs_export(parsed, [])
        for argument in rest:
            assert not argument.startswith("-") or argument.split("=")[0] in ISAACLAB, f"{path.name}: {' '.join(words)}"
