"""Two processes through torch.distributed. RSL-RL's own set-up insists on NCCL and GPUs; only that part is exchanged."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from rsl_rl import utils

from amp_runner import AMPOnPolicyRunner
from tests.conftest import CountingEnv, train_cfg

WORLD_SIZE = 2

pytestmark = pytest.mark.skipif(not hasattr(utils, "reduce_gradients_in_buckets"), reason="several GPUs need RSL-RL 5.5")


class GlooRunner(AMPOnPolicyRunner):
    def _configure_multi_gpu(self):
        rank = torch.distributed.get_rank()
        self.gpu_world_size, self.is_distributed = WORLD_SIZE, True
        self.gpu_local_rank = self.gpu_global_rank = rank
        self.cfg["multi_gpu"] = {"global_rank": rank, "local_rank": rank, "world_size": WORLD_SIZE}


def train(rank, folder, amp_cfg):
    """One rank's training; its models and the first expert windows that it drew go to a file."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=WORLD_SIZE)
    torch.manual_seed(rank)
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        runner = GlooRunner(CountingEnv(num_envs=4 + rank), train_cfg(amp_cfg), log_dir=None, device="cpu")
    drawn = []
    sample = runner.alg.motions.sample
    runner.alg.motions.sample = lambda *args: drawn.append(sample(*args)) or drawn[-1]
    runner.learn(2)
    state = {name: getattr(runner.alg, name).state_dict() for name in ("actor", "critic", "discriminator")}
    torch.save((state, drawn[0]), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def train_last(_, folder, amp_cfg):
    train(WORLD_SIZE - 1, folder, amp_cfg)


def test_ranks_agree_after_training_on_different_data(amp_cfg, tmp_path):
    # The first rank is this process, which has imported everything already.
    other = torch.multiprocessing.spawn(train_last, (str(tmp_path), amp_cfg), nprocs=WORLD_SIZE - 1, join=False)
    train(0, str(tmp_path), amp_cfg)
    assert other.join(timeout=120)
    (first, expert_0), (second, expert_1) = (torch.load(tmp_path / f"{rank}.pt") for rank in range(WORLD_SIZE))
    for model, tensors in first.items():
        for name, tensor in tensors.items():
            if model == "discriminator" or "obs_normalizer" not in name:
                assert torch.equal(tensor, second[model][name]), f"{model}.{name}"
    assert not torch.equal(expert_0, expert_1), "each rank draws its own samples"
    frames = 2 * WORLD_SIZE * 2 * 16 * 3  # iterations, ranks, sides, windows, frames
    assert first["discriminator"]["normalizer.count"] == frames


class TellTheLastRankToStop:
    """Sends SIGTERM to the last process alone, during iteration 2."""

    def after_iteration(self, runner, iteration):
        if iteration == 2 and runner.gpu_global_rank == WORLD_SIZE - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    def after_training(self, runner):
        pass


def train_until_told(rank, folder, amp_cfg):
    """Returns the exit status and the last finished iteration; the last process writes them to a file."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=WORLD_SIZE)
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        cfg = train_cfg(amp_cfg) | {"save_interval": 100}
        runner = GlooRunner(CountingEnv(), cfg, log_dir=f"{folder}/run", device="cpu")
        runner.callbacks.append(TellTheLastRankToStop())
        try:
            runner.learn(1000)
        except SystemExit as end:
            result = end.code, runner.current_learning_iteration
    torch.distributed.destroy_process_group()
    torch.save(result, f"{folder}/{rank}.pt")
    return result


def train_last_until_told(_, folder, amp_cfg):
    train_until_told(WORLD_SIZE - 1, folder, amp_cfg)


def test_a_signal_to_one_process_stops_all_after_the_same_iteration(amp_cfg, tmp_path):
    other = torch.multiprocessing.spawn(train_last_until_told, (str(tmp_path), amp_cfg), nprocs=WORLD_SIZE - 1, join=False)
    assert train_until_told(0, str(tmp_path), amp_cfg) == (143, 2)
    assert other.join(timeout=120)
    assert torch.load(tmp_path / f"{WORLD_SIZE - 1}.pt") == (143, 2)
    assert {path.name for path in (tmp_path / "run").glob("model_*")} == {"model_0.pt", "model_2.pt"}


@pytest.mark.skipif(torch.cuda.device_count() < WORLD_SIZE, reason="needs two GPUs")
def test_ranks_agree_on_two_gpus_after_every_update(clip):
    program = str(Path(__file__).with_name("two_gpus_program.py"))
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={WORLD_SIZE}", program, str(clip)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    assert process.stdout.count("ranks agree") == WORLD_SIZE
