"""Trainings that are told to stop, cannot save, or share a folder."""

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from amp_runner import AMPOnPolicyRunner, CheckpointError, ConfigError
from amp_runner.learning import runner as runner_module
from tests.conftest import REPOSITORY, CountingEnv, train_cfg


class At:
    """A callback that does something after an iteration."""

    def __init__(self, iteration, action):
        self.iteration, self.action = iteration, action

    def after_iteration(self, runner, iteration):
        if iteration == self.iteration:
            self.action()

    def after_training(self, runner):
        pass


def make(amp_cfg, folder, **changes):
    return AMPOnPolicyRunner(CountingEnv(), train_cfg(amp_cfg) | {"save_interval": 100, **changes}, log_dir=str(folder))


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_the_iteration_finish_and_saves(amp_cfg, tmp_path, signum, status, capsys):
    runner = make(amp_cfg, tmp_path / "run")
    runner.callbacks.append(At(2, lambda: os.kill(os.getpid(), signum)))
    before = signal.getsignal(signum)
    with pytest.raises(SystemExit) as end:
        runner.learn(50)
    assert end.value.code == status and signal.getsignal(signum) is before
    path = tmp_path / "run" / "model_2.pt"
    assert f"stopped after iteration 2; resume with --checkpoint {path}" in capsys.readouterr().out
    resumed = make(amp_cfg, tmp_path / "again")
    resumed.load(str(path))
    assert resumed.current_learning_iteration == 3, "iteration 2 is finished"


def test_a_second_interrupt_stops_at_once(amp_cfg, tmp_path):
    runner = make(amp_cfg, tmp_path / "run")
    runner.callbacks.append(At(1, lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)]))
    with pytest.raises(KeyboardInterrupt):
        runner.learn(50)


def test_a_save_that_fails_is_repeated_at_the_next_interval(amp_cfg, tmp_path, monkeypatch, caplog):
    write, calls = runner_module.write_checkpoint, []

    def full(path, state):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        write(path, state)

    monkeypatch.setattr(runner_module, "write_checkpoint", full)
    make(amp_cfg, tmp_path / "run", save_interval=1).learn(3)
    assert "model_1.pt: No space left on device: not saved" in caplog.text
    assert {path.name for path in (tmp_path / "run").glob("model_*")} == {"model_0.pt", "model_2.pt"}


def test_a_last_save_that_fails_is_an_error(amp_cfg, tmp_path, monkeypatch):
    def full(path, state):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner_module, "write_checkpoint", full)
    with pytest.raises(CheckpointError, match=r"the last checkpoint could not be saved: .*No space left"):
        make(amp_cfg, tmp_path / "run").learn(1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # TensorBoard's own thread
def test_a_folder_that_was_moved_away_is_made_again(amp_cfg, tmp_path):
    runner = make(amp_cfg, tmp_path / "run", save_interval=1)
    runner.callbacks.append(At(0, lambda: (tmp_path / "run").rename(tmp_path / "moved")))
    runner.learn(2)
    assert (tmp_path / "run" / "model_1.pt").exists()


def test_curves_that_cannot_be_written_do_not_end_the_training(amp_cfg, tmp_path, caplog):
    """TensorBoard's writer raises what its thread met, at any later call, and never recovers."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    def break_the_writer():
        writer = runner.logger.writer
        writer.add_scalar = writer.flush = fail

    runner = make(amp_cfg, tmp_path / "run")
    runner.callbacks += [At(0, break_the_writer), At(2, break_the_writer)]
    runner.learn(3)
    assert "curves of iteration 1 not complete: No space left on device" in caplog.text
    assert "last curves not complete: No space left on device" in caplog.text
    events = EventAccumulator(str(tmp_path / "run")).Reload()
    assert {event.step for event in events.Scalars("AMP/style_reward")} >= {2}, "a new file was begun"


def test_a_clock_that_jumps_does_not_end_the_training(amp_cfg, tmp_path, monkeypatch):
    clock, jumps = time.time, itertools.cycle((0.0, -86400.0, 86400.0 * 365))
    monkeypatch.setattr(time, "time", lambda: clock() + next(jumps))
    make(amp_cfg, tmp_path / "run", save_interval=2).learn(5)
    assert {path.name for path in (tmp_path / "run").glob("model_*")} == {"model_0.pt", "model_2.pt", "model_4.pt"}


def test_networks_that_hold_nan_are_neither_saved_nor_loaded(amp_cfg, tmp_path):
    runner = make(amp_cfg, tmp_path / "run")
    runner.save(str(tmp_path / "good.pt"))
    with torch.no_grad():
        next(runner.alg.discriminator.net.parameters())[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"'amp.discriminator.* holds NaN"):
        runner.save(str(tmp_path / "bad.pt"))
    assert not (tmp_path / "bad.pt").exists()
    state = torch.load(tmp_path / "good.pt", weights_only=True)
    state["actor_state_dict"]["mlp.0.bias"][0] = float("inf")
    torch.save(state, tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match=r"'actor_state_dict\.mlp\.0\.bias' holds NaN or infinite"):
        make(amp_cfg, tmp_path / "again").load(str(tmp_path / "bad.pt"))


def test_two_runs_do_not_share_a_folder(amp_cfg, tmp_path):
    folder = tmp_path / "run"
    program = f"""
import fcntl, os, sys
lock = open({str(folder / ".lock")!r}, "a+"); fcntl.flock(lock, fcntl.LOCK_EX); lock.write(str(os.getpid())); lock.flush()
print("locked", flush=True); sys.stdin.read()
"""
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(ConfigError, match=f"process {other.pid} is training into this folder"):
            make(amp_cfg, folder).learn(1)
        other.stdin.close()
    make(amp_cfg, folder).learn(1)


def test_what_a_killed_process_left_half_written_is_removed(amp_cfg, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".model_7.pt.123.tmp", "mine.tmp", "model_7.pt.tmp"):
        (folder / name).write_text("half")
    make(amp_cfg, folder).learn(1)
    assert not (folder / ".model_7.pt.123.tmp").exists()
    assert (folder / "mine.tmp").exists() and (folder / "model_7.pt.tmp").exists(), "files of others stay"


def test_a_process_ends_with_the_signals_status(amp_cfg, tmp_path):
    """A training in a process of its own, told to stop as a cluster does."""
    program = (
        "from tests.conftest import CountingEnv, train_cfg; from amp_runner import AMPOnPolicyRunner\n"
        f"cfg = train_cfg({amp_cfg!r}) | {{'save_interval': 10**9}}\n"
        f"AMPOnPolicyRunner(CountingEnv(), cfg, log_dir={str(tmp_path / 'run')!r}).learn(10**9)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            if "Learning iteration 2/" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
    assert process.returncode == 143 and "resume with --checkpoint" in rest, rest[-2000:]
