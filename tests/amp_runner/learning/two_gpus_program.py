"""Trains on the toy with one process for each GPU, through RSL-RL's own set-up, and compares the ranks.

python -m torch.distributed.run --nproc_per_node=2 tests/amp_runner/learning/two_gpus_program.py CLIP
"""

import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[3]))

from amp_runner import AMPOnPolicyRunner
from tests.conftest import CountingEnv, train_cfg


def main(clip: str) -> None:
    rank = int(os.environ["LOCAL_RANK"])
    device = f"cuda:{rank}"
    torch.cuda.set_device(device)
    torch.manual_seed(rank)
    discriminator = {"hidden_dims": [16], "num_updates": 4, "batch_size": 16}
    amp_cfg = {"motions": clip, "num_frames": 3, "replay_size": 64, "discriminator": discriminator}
    runner = AMPOnPolicyRunner(CountingEnv(num_envs=4 + rank), train_cfg(amp_cfg), log_dir=None, device=device)
    update, agreements = runner.alg.trainer.update, []

    def update_and_compare(rollout):
        statistics = update(rollout)
        agreements.append(all(equal_on_all_ranks(t) for t in runner.alg.discriminator.state_dict().values()))
        return statistics

    runner.alg.trainer.update = update_and_compare
    runner.learn(3)
    models = {name: getattr(runner.alg, name).state_dict() for name in ("actor", "critic")}
    agreements += [equal_on_all_ranks(t) for m in models.values() for name, t in m.items() if "obs_normalizer" not in name]
    print(f"rank {rank}: {'ranks agree' if all(agreements) else 'ranks DIFFER'} in {len(agreements)} comparisons")
    torch.distributed.destroy_process_group()
    sys.exit(not all(agreements))


def equal_on_all_ranks(tensor: torch.Tensor) -> bool:
    copies = [torch.empty_like(tensor) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(copies, tensor.contiguous())
    return all(torch.equal(copy, tensor) for copy in copies)


if __name__ == "__main__":
    main(sys.argv[1])
