#!/usr/bin/env bash
# Train the ostrich for a few minutes on what this machine has, then show the learning curves.   bash scripts/demo.sh .venv
set -euo pipefail
bin=${1:-.venv}/bin
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$bin/python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    size=(--device cuda:0 --max_iterations 300)
else
    size=(--device cpu --num_envs 512 --max_iterations 130)
fi
echo "training: ${size[*]} (the first run compiles the physics kernels, about a minute)"
"$bin/amp-train" --task Isaac-Velocity-Flat-Ostrich-v0 --motion motions/walk.npz --run_name demo --config configs/tensorboard.yaml \
    "${size[@]}" "${@:2}" | tee "$log"
run=$(sed -n 's/^run: //p' "$log" | tail -1)
"$bin/python" scripts/plot_curves.py "$run"
echo
echo "run:         $run"
echo "curves:      $run/curves.png"
echo "TensorBoard: $bin/tensorboard --logdir $run"
