"""The commands of the README and of the site, at a small size; those with files of the reader, with arguments that exist."""

import importlib
import itertools
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
            assignment = re.match(r'(\w+)=("(.*?)"|\S+$)', line)
            if assignment:
                variables[assignment[1]] = assignment[3] or assignment[2]
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


OUTPUTS = ("-o", "--out", "--video", "--png", "--json", "--plots")


def runs_here(words):
    """Whether a command needs only files of the repository: no robot of the reader's, no screen, no network, not mjlab."""
    inputs = [word for before, word in itertools.pairwise(words) if before not in OUTPUTS]
    inputs = [word for word in inputs if re.search(r"\.[a-z]\w{1,3}$|/", word)]
    has_inputs = all((REPOSITORY / word).exists() for word in inputs if "=" not in word)
    is_window = words[0] == "amp-play" and not {"--web", "--video"} & set(words)
    text = " ".join(words)
    return has_inputs and not is_window and not re.search(r"latest|Mjlab|my_project| get |my_controller", text)


SITE = [words for path in PAGES for words in commands(path) if runs_here(words)]
DOCUMENTED = {" ".join(words): words for words in README + SITE}


def test_most_commands_of_the_site_run_here():
    assert len(DOCUMENTED) > len(README) + 15


@pytest.mark.parametrize("words", DOCUMENTED.values(), ids=DOCUMENTED.keys())
def test_the_documented_commands_run(words, tmp_path, monkeypatch):
    for folder in ("motions", "policies", "configs"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    name = words[0].removeprefix("amp-")
    if words[:2] == ["amp-motion", "view"] and not {"--video", "--png"} & set(words):
        words = [*words, "--png", "view.png"]  # the page itself is tested in a browser
    if "--web" in words:
        words = [*words, "--port", "8320"]
    smaller = ["--num_envs", "8", "--seconds", "8"] if "--pushes" in words else SMALLER[name]
    process = run_command(name, *words[1:], *smaller, cwd=tmp_path)
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
