"""The wheel in clean environments: each installation does what it promises."""

import subprocess
import sys
import zipfile

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow


def uv(*arguments):
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--out-dir", str(folder), str(REPOSITORY))
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def install(wheel, tmp_path_factory):
    """Create an environment with some extras of the wheel; returns a function that runs a program there."""
    pytest.importorskip("uv")

    def create(extras):
        folder = tmp_path_factory.mktemp("environment")
        uv("venv", "--python", sys.executable, str(folder / "venv"))
        python = str(folder / "venv" / "bin" / "python")
        constraints = ["--constraint", str(REPOSITORY / "requirements.txt")]
        uv("pip", "install", "--python", python, *constraints, f"amp-runner{extras} @ {wheel.as_uri()}")

        def run(name, *arguments, status=0):
            command = [str(folder / "venv" / "bin" / name), *arguments]
            process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert "Traceback" not in process.stderr, process.stderr[-2000:]
            assert process.returncode == status, process.stdout[-2000:] + process.stderr[-2000:]
            return process.stdout + process.stderr

        return run

    return create


def test_the_wheel_has_every_module_and_what_belongs_to_it(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(path.relative_to(REPOSITORY)) for package in ("amp_runner", "ostrich_env")
               for path in (REPOSITORY / package).rglob("*") if path.suffix in (".py", ".pyi", ".usda", ".xml")}  # fmt: skip
    assert sources <= names, sources - names
    for name in ("motions/walk.npz", "configs/walk_run.yaml", "policies/ostrich_walk.pt", "policies/exported/policy.onnx"):
        assert f"ostrich_env/{name}" in names
    assert "amp_runner/py.typed" in names


def test_a_base_installation_trains(install):
    run = install("")
    assert "after" in run("python", str(REPOSITORY / "examples" / "plain_vec_env.py"), "--iterations", "2")
    for command in ("train", "eval", "play", "record", "export", "motion"):
        assert "usage:" in run(f"amp-{command}", "--help")
    exported = run("python", "-m", "ostrich_env", "policies/exported/policy.pt").strip().rpartition("/")[0]
    walk = run("python", "-m", "ostrich_env", "motions/walk.npz").strip()
    assert "pip install 'amp-runner[" in run("amp-eval", "--export", exported, "--motion", walk, status=2)
    assert "No simulator is installed" in run("amp-train", "--task", "T", status=2)


def test_clip_tools_need_the_extra_motion_only(install):
    run = install("[motion]")
    walk = run("python", "-m", "ostrich_env", "motions/walk.npz").strip()
    assert "67 clips" in run("amp-motion", "info", walk)
    run("amp-motion", "cut", walk, "--clips", "20", "-o", "one.npz")
    assert "joint limits and feet are not checked" not in run("amp-motion", "check", "one.npz"), "the ostrich is found"
    run("amp-motion", "plot", "one.npz", "-o", "clip.png")


def test_exported_policies_need_the_extra_deploy_only(install):
    run = install("[deploy]")
    exported = run("python", "-m", "ostrich_env", "policies/exported/policy.pt").strip().rpartition("/")[0]
    walk = run("python", "-m", "ostrich_env", "motions/walk.npz").strip()
    program = (
        "import sys; sys.modules['torch'] = None; import numpy as np; from amp_runner.deploy import DeployedPolicy;"
        "policy = DeployedPolicy(sys.argv[1]); signals = policy.description.signals;"
        "zeros = {name: np.zeros(6 if name.startswith('joint') else 3) for name in signals};"
        "print(policy(zeros).shape)"
    )
    assert "(6,)" in run("python", "-c", program, exported)
    arguments = ["--export", exported, "--motion", walk, "--num_envs", "2", "--seconds", "3", "--speeds", "0.5"]
    assert "stride_frequency_ratio" in run("amp-eval", *arguments)
