"""The example of a Direct task, up to the humanoid itself, which Isaac Lab fetches from a server."""

from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch

from amp_runner import load_motion
from amp_runner.cli import motion as amp_motion
from tests.sim.simulator import run_command

pytestmark = pytest.mark.sim
pytest.importorskip("isaaclab", reason="Isaac Lab comes with the 'sim' extra")

TASK = "examples.humanoid_amp:Humanoid-Walk-v0"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Isaac Lab's walk, converted as the example says."""
    import isaaclab_tasks.contrib.humanoid_amp.motions as motions

    out = str(tmp_path_factory.mktemp("clips") / "humanoid_walk.npz")
    walk = str(Path(motions.__path__[0]) / "humanoid_walk.npz")
    assert amp_motion.main(["convert", walk, "--root_body", "torso", "-o", out]) == 0
    return out


def test_the_environments_states_are_those_of_the_clip(clip):
    """The environment shows the pose and velocities of one frame of the clip, as the simulator would."""
    from isaaclab_tasks.contrib.humanoid_amp.humanoid_amp_env import HumanoidAmpEnv
    from isaaclab_tasks.contrib.humanoid_amp.humanoid_amp_env_cfg import HumanoidAmpWalkEnvCfg

    from examples.humanoid_amp import HumanoidEnv

    motion = load_motion(clip)
    assert motion.spec == HumanoidEnv.amp_spec
    assert motion.dt == pytest.approx(HumanoidAmpWalkEnvCfg().sim.dt * HumanoidAmpWalkEnvCfg().decimation)
    state = {name: torch.tensor(motion.states[20:21, part]) for name, part in motion.spec.features.items()}
    # Gravity in the base frame is the third row of its rotation, with the sign changed: choose the rotation without yaw.
    x, y, z = -state["projected_gravity"][0].double().numpy()
    quat = np.array([y, -x, 0.0, 1.0 + z]) / np.sqrt(2 * (1 + z))

    def shown(value):
        return SimpleNamespace(torch=torch.as_tensor(value, dtype=torch.float32))

    heading = np.arctan2(*reversed(rotated(quat, [1.0, 0.0, 0.0])[:2]))
    velocities = [rotated([0, 0, np.sin(heading / 2), np.cos(heading / 2)], state[name][0].numpy()) for name in VELOCITIES]
    data = SimpleNamespace(
        joint_names=list(reversed(motion.joint_names)),
        root_link_pos_w=shown([[5.0, 7.0, float(state["root_height"])]]),
        root_link_quat_w=shown([quat]),
        joint_pos=shown(state["joint_pos"].flip(1)),
        joint_vel=shown(state["joint_vel"].flip(1)),
        root_link_lin_vel_w=shown([velocities[0]]),
        root_link_ang_vel_w=shown([velocities[1]]),
    )
    env = HumanoidEnv.__new__(HumanoidEnv)
    env.robot, env.scene = SimpleNamespace(data=data), SimpleNamespace(env_origins=torch.zeros(1, 3))
    with mock.patch.object(HumanoidAmpEnv, "_get_observations", lambda self: {"policy": torch.zeros(1, 81)}):
        observations = env._get_observations()
    assert set(observations) == {"policy", "amp"}
    np.testing.assert_allclose(observations["amp"].numpy(), motion.states[20:21], atol=1e-5)


VELOCITIES = ("root_lin_vel", "root_ang_vel")


def rotated(quat, vector):
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(quat).apply(vector)


def test_the_command_knows_the_task_and_checks_the_clip(clip, tmp_path):
    process = run_command("train", "--task", TASK, "--motion", clip, "--dry_run", cwd=tmp_path)
    assert process.returncode == 0, process.stderr[-2000:]
    process = run_command("train", "--task", TASK, "--motion", "none.npz", "--dry_run", cwd=tmp_path)
    assert process.returncode == 2 and "none.npz: no such file" in process.stderr
