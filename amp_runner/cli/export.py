"""``amp-export``: a trained policy as files that run without this library."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from amp_runner.cli.backends import Exporter, backend_of
from amp_runner.cli.common import make_folder, policy_parser, run_command
from amp_runner.deploy.policy import ONNX_FILE, DeployedPolicy
from amp_runner.deploy.policy_description import PolicyDescription
from amp_runner.errors import AMPError
from amp_runner.motions.clip import load_motion

TORCHSCRIPT_FILE = "policy.pt"
TOLERANCE = 1e-5
"""Largest difference between the policy and its exports."""
_STEPS = 100


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``amp-export``; returns the exit status."""
    return run_command("amp-export", export, argv)


def export(argv: list[str]) -> None:
    """Write a policy as ONNX and TorchScript with its description, and check them in the simulator.

    Raises:
        AMPError: bad input, or the export computes other numbers than the policy.
    """
    args, rest = _parser().parse_known_args(argv)
    folder = make_folder("--out", args.out)
    backend = backend_of(args.task)
    _require_onnx()
    exporter = backend.exporter()

    def configure(_: argparse.Namespace, env_cfg: Any) -> None:
        env_cfg.scene.num_envs = 1
        exporter.without_randomisation(env_cfg)

    with backend.simulation(args, rest, configure) as sim:
        actor = sim.load_policy()
        description = describe_policy(sim, exporter)
        write_networks(actor, folder)
        write_description(description, exporter.write_model(sim, folder), folder)
        differences = compare(sim, exporter, actor, folder)
    for name, difference in differences.items():
        print(f"{name}: differs from the policy by at most {difference:.1e} over {_STEPS} steps")
    if not all(difference <= TOLERANCE for difference in differences.values()):  # NaN compares False
        raise AMPError(f"{folder}: the export differs from the policy by more than {TOLERANCE:g}; do not use it")
    print(f"wrote {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


def _parser() -> argparse.ArgumentParser:
    parser = policy_parser(
        "amp-export", "Export a trained policy: policy.onnx, policy.pt (TorchScript), policy.json (description)."
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write to; created if missing")
    return parser


def _require_onnx() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        if importlib.util.find_spec(name) is None:
            raise AMPError(f"No module named '{name}'; exporting needs: pip install 'amp-runner[deploy]'")


def write_networks(actor: Any, folder: Path) -> None:
    """Write the actor, with its normalisation inside, as ONNX and as TorchScript."""
    import onnx
    import torch

    model = actor.as_onnx(verbose=False).cpu().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            model.get_dummy_inputs(),
            str(folder / ONNX_FILE),
            opset_version=18,
            input_names=model.input_names,
            output_names=model.output_names,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        torch.jit.script(actor.as_jit().cpu().eval()).save(str(folder / TORCHSCRIPT_FILE))
    # Both keep the paths of the sources they were made from.
    network = onnx.load(folder / ONNX_FILE)
    for part in (*network.graph.node, *network.graph.value_info, *network.graph.input, *network.graph.output):
        del part.metadata_props[:]
    onnx.save(network, folder / ONNX_FILE)
    _strip_debug_info(folder / TORCHSCRIPT_FILE)


def _strip_debug_info(path: Path) -> None:
    """Rewrite a TorchScript file without the parts that hold the paths of its sources."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".debug_pkl")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)


def describe_policy(sim: Any, exporter: Exporter) -> PolicyDescription:
    """Describe the policy of a simulation.

    Raises:
        ConfigError: it observes something that a robot does not measure, or its actions are not joint positions.
    """
    checkpoint = {"file": Path(sim.args.checkpoint).name, "iteration": sim.checkpoint_state.get("iter")}
    description = exporter.describe(sim.env, sim.agent_cfg, checkpoint, _motion_hashes(sim), sim.args.task)
    description.require_measured()
    if any(entry.signal == "base_lin_vel" for entry in description.observations):
        print("note: the policy observes base_lin_vel: on the robot, an estimator has to provide it")
    return description


def write_description(description: PolicyDescription, model: str | None, folder: Path) -> None:
    """Write ``policy.json``; ``model`` is the robot's MJCF file in the folder, if there is one."""
    from amp_runner.deploy.mujoco_robot import MujocoRobot

    if model is None:
        print("note: without an MJCF file of the robot, the export cannot be simulated in plain MuJoCo")
    else:
        description.robot.model = model
        MujocoRobot(description, folder / model)  # raises for a model that needs further files
    description.save(folder)


def _motion_hashes(sim: Any) -> dict[str, str]:
    """Return the hashes of the clips that the checkpoint was trained on; if it has none, of the agent's clips."""
    saved = sim.checkpoint_state.get("amp", {}).get("motion_hashes")
    if saved is None:
        entries = getattr(getattr(sim.agent_cfg.algorithm, "amp_cfg", None), "motions", None) or []
        saved = {path: load_motion(path).sha256 for path in entries if isinstance(path, str) and Path(path).is_file()}
    return {Path(path).name: digest for path, digest in saved.items()}


def compare(sim: Any, exporter: Exporter, actor: Any, folder: Path) -> dict[str, float]:
    """Run the policy and its exports on the same steps.

    Returns:
        Largest differences: of both networks' outputs on the same observations, of the observations that the description
        leads to, and of the joint position targets [rad].
    """
    import torch

    deployed = DeployedPolicy(folder)
    script = torch.jit.load(str(folder / TORCHSCRIPT_FILE))
    names: tuple[str, ...] = (
        f"{ONNX_FILE} (ONNX Runtime)",
        f"{TORCHSCRIPT_FILE} (TorchScript)",
        "observations by policy.json",
        "joint targets by policy.json",
    )
    differences: dict[str, float] = dict.fromkeys(names, 0.0)
    obs = sim.env.get_observations()
    groups = sim.agent_cfg.obs_groups["actor"]
    with torch.inference_mode():
        for _ in tqdm(range(_STEPS), desc="checking", unit="step", mininterval=1.0):
            expected = torch.cat([obs[group] for group in groups], dim=-1).cpu()
            found = deployed.observe(exporter.measured_signals(sim.env))
            action = actor(obs)
            limit = sim.agent_cfg.clip_actions or np.inf
            target = action[0].cpu().numpy()
            targets = deployed.targets(deployed.act(expected.numpy()))
            obs, _, dones, _ = sim.env.step(action)
            pairs = (
                (deployed.last_action, target.clip(-limit, limit)),
                (script(expected)[0].numpy(), target),
                (found, expected.numpy()),
                (targets, exporter.joint_targets(sim.env)),
            )
            for name, (output, correct) in zip(names, pairs):
                differences[name] = float(np.maximum(differences[name], np.abs(output - correct).max()))
            actor.reset(dones)
            if dones.any():
                deployed.reset()
                script.reset()
    return differences


if __name__ == "__main__":
    sys.exit(main())
