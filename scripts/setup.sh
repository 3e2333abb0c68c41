#!/usr/bin/env bash
# Create a virtual environment with Python 3.12 and pinned dependencies.   bash scripts/setup.sh [.venv [requirements.txt]]
set -euo pipefail
venv=${1:-.venv}
requirements=${2:-requirements.txt}
say() { printf '\n==> %s\n' "$*"; }

find_python() {
    local candidate
    for candidate in python3.12 python3 python; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python3.12; do
        if [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
    if command -v uv >/dev/null && uv python find 3.12 2>/dev/null; then
        return
    fi
    return 1
}

if ! python=$(find_python); then
    cat >&2 <<'MESSAGE'
No Python 3.12 found, which Isaac Lab 3.0 needs. Three ways to get one:
  1. your system's packages, for example: sudo apt-get install python3.12 python3.12-venv
  2. pyenv:  pyenv install 3.12
  3. uv:     pip install uv && uv python install 3.12
Then run make again.
MESSAGE
    exit 1
fi

say "1/3 virtual environment in $venv, with $python"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip uv

say "2/3 dependencies of $requirements: the simulator, PyTorch (about 7 GB, a few minutes)"
# The lists are complete; Isaac Lab's leaves out one requirement on purpose (see tool.uv in pyproject.toml).
"$venv/bin/uv" pip install --python "$venv/bin/python" --no-deps --requirement "$requirements"

say "3/3 this project"
"$venv/bin/uv" pip install --python "$venv/bin/python" --no-deps --editable .
say "ready: source $venv/bin/activate"
