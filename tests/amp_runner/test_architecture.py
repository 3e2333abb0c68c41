"""The rooms of the library: which may import which, and who may import a simulator."""

import ast
import inspect
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

LIBRARY = REPOSITORY / "amp_runner"
FLOORS = (
    ("errors",),
    ("files",),
    ("safe_yaml",),
    ("state",),
    ("env_interface",),
    ("motions", "deploy"),
    ("learning",),
    ("evaluation",),
    ("viewers",),
    ("isaaclab", "mjlab"),
    ("cli",),
)
"""From the ground up: a room imports its own modules and those of lower floors."""
ALLOWED_SIMULATORS = {
    "isaaclab": ("amp_runner/isaaclab/", "amp_runner/cli/isaaclab_backend.py"),
    "mjlab": ("amp_runner/mjlab/", "amp_runner/cli/mjlab_backend.py"),
    "mujoco": (
        "amp_runner/mjlab/",
        "amp_runner/motions/retarget.py",
        "amp_runner/motions/robot_",
        "amp_runner/deploy/mujoco_robot.py",
        "amp_runner/viewers/",
    ),
    "ostrich_env": (),
}


def imports(path):
    """Full names of the modules that a file imports anywhere, with the names taken from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = sorted(path for path in LIBRARY.rglob("*.py"))


def floor_of(room):
    return next(floor for floor, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_arrows_run_down_only(path):
    room = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        if (
            parts[0] == "amp_runner"
            and len(parts) > 1
            and (LIBRARY / parts[1]).exists() | (LIBRARY / f"{parts[1]}.py").exists()
        ):
            other = parts[1]
            assert other == room or floor_of(other) < floor_of(room), f"{path.name} imports {name} from a floor above"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_simulators_are_imported_in_their_rooms_only(path):
    relative = path.relative_to(REPOSITORY).as_posix()
    for name in imports(path):
        top = name.split(".")[0]
        top = "isaaclab" if top.startswith(("isaaclab", "isaacsim")) else top
        if top in ALLOWED_SIMULATORS:
            assert relative.startswith(ALLOWED_SIMULATORS[top] or "nowhere"), f"{relative} imports {name}"


def test_no_module_imports_itself_through_others():
    names = {".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path for path in MODULES}
    graph = {name: {other for other in imports(path) if other in names} - {name} for name, path in names.items()}
    done = set()

    def visit(name, trail):
        assert name not in trail, f"a circle of imports: {' > '.join([*trail, name])}"
        if name not in done:
            for other in graph[name]:
                visit(other, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])


PROGRAM = """
import sys
import amp_runner.cli.motion
from amp_runner import load_motion
assert "rsl_rl" not in sys.modules, "clip tools start without RSL-RL"
from amp_runner import *
assert AMPOnPolicyRunner.__module__ == "amp_runner.learning.runner"
loaded = {"isaaclab", "isaaclab_rl", "warp", "newton", "pxr", "gymnasium", "ostrich_env"} & set(sys.modules)
assert not loaded, loaded
"""

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = sys.modules["gymnasium"] = None
import numpy as np
from amp_runner.deploy import DeployedPolicy
policy = DeployedPolicy(sys.argv[1])
signals = {name: np.zeros(6 if name.startswith("joint") else 3) for name in policy.description.signals}
assert policy(signals).shape == (6,)
"""

CLIP_TOOLS = """
import sys
sys.modules["gymnasium"] = None
from amp_runner.cli.motion import main
assert main(["info", sys.argv[1]]) == 0 == main(["check", sys.argv[1]])
assert "torch" not in sys.modules
"""

HELP = """
import importlib, sys
sys.modules["torch"] = sys.modules["mujoco"] = sys.modules["scipy"] = None
for command in ("train", "play", "eval", "record", "export", "motion"):
    assert importlib.import_module(f"amp_runner.cli.{command}").main(["--help"]) == 0
"""


@pytest.mark.parametrize(
    ("program", "argument"),
    [
        (PROGRAM, ""),
        (WITHOUT_TORCH, str(REPOSITORY / "policies" / "exported")),
        (CLIP_TOOLS, str(REPOSITORY / "motions" / "walk.npz")),
        (HELP, ""),
    ],
    ids=["the library without a simulator", "an exported policy without torch", "clip tools without torch", "help"],
)
def test_what_is_not_needed_is_not_imported(program, argument):
    process = subprocess.run([sys.executable, "-c", program, argument], cwd=REPOSITORY, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


def test_isaac_labs_training_backend_still_has_the_names_that_amp_train_exchanges():
    pytest.importorskip("isaaclab_rl", reason="Isaac Lab comes with the 'sim' extra")
    from isaaclab_rl.entrypoints.backends import train_rsl_rl

    from amp_runner.cli.isaaclab_backend import PATCHED_NAMES

    for name in PATCHED_NAMES:
        assert callable(getattr(train_rsl_rl, name)), name
    source = inspect.getsource(train_rsl_rl)
    assert "env_cfg, agent_cfg = resolve_task_config(args_cli.task, args_cli.agent)" in source
    assert "runner = create_rsl_rl_runner(env, agent_cfg, log_dir=log_dir)" in source
    assert "resume_path = _resolve_checkpoint(args_cli, agent_cfg, log_root_path)" in source
