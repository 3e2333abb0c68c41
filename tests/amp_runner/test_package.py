import subprocess
import sys

from tests.conftest import REPOSITORY

PROGRAM = """
import sys
import amp_runner.cli.motion
from amp_runner import load_motion
assert "rsl_rl" not in sys.modules, "motion files are read without waiting for it"
from amp_runner import *
assert AMPOnPolicyRunner.__module__ == "amp_runner.learning.runner"
loaded = {"isaaclab", "isaaclab_rl", "warp", "newton", "pxr", "gymnasium"} & set(sys.modules)
assert not loaded, loaded
"""


def test_the_library_imports_no_simulator_and_motion_tools_no_rsl_rl():
    process = subprocess.run([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
