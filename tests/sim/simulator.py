"""Runs commands in this process: Isaac Lab is imported and its kernels are loaded once for all tests, not once per test."""

import contextlib
import importlib
import io
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace
from unittest import mock

from tests.conftest import REPOSITORY


def run_command(name, *arguments, cwd):
    """Run ``amp-<name>`` in a folder, in this process; returns what subprocess.run would."""
    return call(importlib.import_module(f"amp_runner.cli.{name}").main, *arguments, cwd=cwd)


def call(function, *arguments, cwd):
    """Call ``function(arguments)``, which returns an exit status, as :func:`run_command` does."""
    out, err = io.StringIO(), io.StringIO()  # not closed: loggers that are created meanwhile keep writing to them
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [function.__module__]),
        _printed_warnings(),
    ):
        try:
            status = function(list(arguments)) or 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        finally:
            _close_simulation()
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=err.getvalue())


def run_process(*command, cwd):
    """Run a command in a process of its own, as a user does, with as many threads as the tests."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


@contextlib.contextmanager
def _printed_warnings():
    """Print warnings as without pytest, which collects them."""

    def show(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = show
        yield


def _close_simulation():
    """Close the simulation of an environment that could not be built; the next environment would fail otherwise."""
    context = sys.modules.get("isaaclab.sim.simulation_context")
    if context is not None and context.SimulationContext.instance() is not None:
        context.SimulationContext.clear_instance()
