import subprocess
import sys

from tests.conftest import REPOSITORY


def test_importing_the_library_imports_no_simulator():
    program = (
        "import sys, amp_runner; "
        "sys.exit(bool({'isaaclab', 'isaaclab_rl', 'warp', 'newton', 'pxr', 'gymnasium'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY).returncode == 0
