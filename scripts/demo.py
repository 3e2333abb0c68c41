#!/usr/bin/env python3
"""Train the ostrich for a few minutes on this machine, and show its gait before and after.

    python scripts/demo.py [OVERRIDE ...]

On a GPU the training starts from nothing: 8,192 robots for 300 iterations. Without one it starts from
``policies/ostrich_early.pt``, the state of that training after 120 iterations, when the robot still shuffles.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch

TASK = "Isaac-Velocity-Flat-Ostrich-v0"
MOTION = "motions/walk.npz"
EARLY = "policies/ostrich_early.pt"
EARLY_MEASURES = Path("policies/ostrich_early.eval.json")
FEW_SAMPLES = ["agent.algorithm.entropy_coef=0.005", "agent.algorithm.amp_cfg.style_weight=20"]
"""Settings with which 256 robots learn the stride in 74 iterations; the defaults suit 8,192 robots and more iterations."""
OUT = Path("logs/demo")
MEASURES = {
    "stride frequency, ratio to the reference": "stride_frequency_ratio",
    "hip amplitude, ratio to the reference": "hip_amplitude_ratio",
    "velocity error [m/s]": "velocity_error_mps",
    "yaw rate error [rad/s]": "yaw_rate_error_radps",
    "foot slip [m/s]": "foot_slip_mps",
    "falls per minute, with pushes": "falls_per_minute_pushed",
}


def run(title: str, command: str, *arguments: str, is_needed: bool = True) -> str:
    """Run one of the project's commands, show its output, and return the last line."""
    line = [str(Path(sys.executable).parent / command), *arguments]
    print(f"\n==> {title}\n    {command} {shlex.join(arguments)}", flush=True)
    last = ""
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for output in process.stdout:
            print(output, end="", flush=True)
            last = output.strip() or last
    if process.returncode and is_needed:
        sys.exit(f"demo: {command} failed with exit status {process.returncode}; its messages are above")
    return last


def film(name: str, checkpoint: str, device: list[str]) -> None:
    """Write a film of a checkpoint's gait; where that is not possible, the rest of the demo goes on."""
    policy = ["--task", TASK, "--checkpoint", checkpoint, *device]
    video = ["--video", str(OUT / f"{name}.mp4"), "--seconds", "3"]
    run(f"a film of the gait {name} training", "amp-play", *policy, *video, is_needed=False)


def measure(name: str, checkpoint: str, device: list[str]) -> dict[str, float]:
    """Measure a checkpoint's gait."""
    out = OUT / f"{name}.json"
    run(f"the gait {name} training", "amp-eval", "--task", TASK, "--checkpoint", checkpoint, *device, "--motion", MOTION,
        "--num_envs", "38", "--seconds", "6", "--json", str(out))  # fmt: skip
    return json.loads(out.read_text())


def main() -> None:
    began = time.monotonic()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    results: dict[str, dict[str, float]] = {}
    if torch.cuda.is_available():
        device, size = ["--device", "cuda:0"], ["--max_iterations", "300"]
        print("training from nothing on the GPU: 8,192 robots, 300 iterations, about five minutes")
    else:
        device = ["--device", "cpu"]
        size = ["--num_envs", "256", "--max_iterations", "74", "--checkpoint", EARLY, "--no-resume_optimizer_state"]
        size += FEW_SAMPLES
        print(f"training on the CPU from {EARLY}, a policy that shuffles: 256 robots, 74 iterations, less than ten minutes")
        results["before"] = json.loads(EARLY_MEASURES.read_text())
        film("before", EARLY, device)
    arguments = ["--task", TASK, "--motion", MOTION, "--run_name", "demo", *device, *size, *sys.argv[1:]]
    folder = Path(run("training", "amp-train", *arguments).removeprefix("run: "))
    newest = max(folder.glob("model_*.pt"), key=lambda path: path.stat().st_mtime)
    results["after"] = measure("after", str(newest), device)
    film("after", str(newest), device)
    run("learning curves", "python", "scripts/plot_curves.py", str(folder))
    print(f"\n{'':42s}" + "".join(f"{name:>10s}" for name in results))
    for title, key in MEASURES.items():
        print(f"{title:42s}" + "".join(f"{result[key]:10.2f}" for result in results.values()))
    if "before" in results:
        print(f"(before: as shipped in {EARLY_MEASURES})")
    films = [str(path) for name in results if (path := OUT / f"{name}.mp4").exists()]
    print(f"\nfilms:       {', '.join(films) or 'none could be made; the reason is above'}")
    print(f"curves:      {folder}/curves.png")
    print(f"TensorBoard: {Path(sys.executable).parent}/tensorboard --logdir {folder}")
    print(f"done in {(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
