#!/usr/bin/env python3
"""Reduce a checkpoint to its networks, without the state of the training.

    python scripts/strip_checkpoint.py logs/rsl_rl/ostrich_flat/RUN/model_275.pt policies/ostrich_walk

writes policies/ostrich_walk.pt and, beside it, the run's agent.yaml without what concerned that run only. It can be played,
evaluated, recorded and exported, and another training can begin from it (amp-train --no-resume_optimizer_state); to resume
this one, keep the checkpoint itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import yaml

KEPT = ("actor_state_dict", "iter", "env_steps", "infos")
KEPT_OF_AMP = ("discriminator", "num_frames", "frame_dim", "motion_hashes")
# Settings of the run that do not affect the policy.
RUN_ONLY = (
    "run_name", "resume", "load_run", "load_checkpoint", "save_interval", "keep_checkpoints", "snapshot_interval",
    "snapshot_robot",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a run")
    parser.add_argument("out", type=Path, help="what to write, without suffix")
    args = parser.parse_args()
    state = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    small = {key: state[key] for key in KEPT if key in state}
    # Half precision is enough for a critic to start from.
    small["critic_state_dict"] = {
        name: value.half() if value.is_floating_point() else value for name, value in state["critic_state_dict"].items()
    }
    if "amp" in state:
        small["amp"] = {key: state["amp"][key] for key in KEPT_OF_AMP}
        # Without the folders of this machine.
        hashes = small["amp"]["motion_hashes"]
        small["amp"]["motion_hashes"] = {Path(path).name: digest for path, digest in hashes.items()}
    out = Path(f"{args.out}.pt")
    torch.save(small, out)
    print(f"wrote {out}: {out.stat().st_size / 1e6:.2f} MB")
    agent_file = args.checkpoint.parent / "params" / "agent.yaml"
    if agent_file.is_file():
        agent = yaml.full_load(agent_file.read_text())
        agent = {key: value for key, value in agent.items() if key not in RUN_ONLY} | {"max_iterations": state["iter"] + 1}
        out = Path(f"{args.out}.agent.yaml")
        out.write_text(yaml.dump(agent, sort_keys=False))
        print(f"wrote {out}")


if __name__ == "__main__":
    main()
