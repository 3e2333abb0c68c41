"""AMP on a Direct task of Isaac Lab: its humanoid_amp, which exposes AMP states to another library, with the group ``amp``.

    motions=$(python -c "import isaaclab_tasks.contrib.humanoid_amp.motions as m; print(m.__path__[0])")
    amp-motion convert $motions/humanoid_walk.npz --root_body torso -o humanoid_walk.npz
    PYTHONPATH=. amp-train --task examples.humanoid_amp:Humanoid-Walk-v0 --motion humanoid_walk.npz

The task rewards nothing but being alive, so the style is all there is to learn. Isaac Lab fetches the humanoid from its
asset server, and simulates it in PhysX.
"""

from __future__ import annotations

import gymnasium
import torch
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg
from isaaclab_tasks.contrib.humanoid_amp.humanoid_amp_env import HumanoidAmpEnv
from isaaclab_tasks.contrib.humanoid_amp.humanoid_amp_env_cfg import HumanoidAmpWalkEnvCfg

from amp_runner import AMPStateSpec, amp_state
from amp_runner.isaaclab import RslRlAmpPpoAlgorithmCfg, RslRlAmpRunnerCfg

LEG = ("hip_x", "hip_y", "hip_z", "knee", "ankle_x", "ankle_y", "ankle_z")
ARM = ("shoulder_x", "shoulder_y", "shoulder_z", "elbow")
JOINTS = (
    *(f"{part}_{axis}" for part in ("abdomen", "neck") for axis in "xyz"),
    *(f"{side}_{joint}" for side in ("right", "left") for joint in ARM),
    *(f"{side}_{joint}" for side in ("right", "left") for joint in LEG),
)
"""The order of the task's motion files, and so of the clips."""


class HumanoidEnv(HumanoidAmpEnv):
    """Isaac Lab's environment with the observation group ``amp``."""

    amp_spec = AMPStateSpec(JOINTS)

    def _get_observations(self) -> dict[str, torch.Tensor]:
        data = self.robot.data
        joints = [data.joint_names.index(name) for name in JOINTS]
        state = amp_state(
            data.root_link_pos_w.torch[:, 2] - self.scene.env_origins[:, 2],
            data.root_link_quat_w.torch,
            data.joint_pos.torch[:, joints],
            data.root_link_lin_vel_w.torch,
            data.root_link_ang_vel_w.torch,
            data.joint_vel.torch[:, joints],
            self.amp_spec.orientation,
            self.amp_spec.velocity_frame,
        )
        return {**super()._get_observations(), "amp": state}


@configclass
class HumanoidEnvCfg(HumanoidAmpWalkEnvCfg):
    """The task, with the states in which episodes end."""

    compute_final_obs = True


@configclass
class HumanoidRunnerCfg(RslRlAmpRunnerCfg):
    """PPO with AMP; the style outweighs the reward for being alive."""

    num_steps_per_env = 16
    max_iterations = 3000
    save_interval = 100
    experiment_name = "humanoid_amp"
    obs_groups = {"actor": ["policy"], "critic": ["policy"]}
    actor = RslRlMLPModelCfg(
        hidden_dims=[1024, 512],
        activation="relu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=0.2),
    )
    critic = RslRlMLPModelCfg(hidden_dims=[1024, 512], activation="relu", obs_normalization=True)
    algorithm = RslRlAmpPpoAlgorithmCfg(
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        clip_param=0.2,
        entropy_coef=0.0,
        num_learning_epochs=5,
        num_mini_batches=4,
        learning_rate=3.0e-4,
        schedule="adaptive",
        gamma=0.99,
        lam=0.95,
        desired_kl=0.01,
        max_grad_norm=1.0,
    )


gymnasium.register(
    id="Humanoid-Walk-v0",
    entry_point=HumanoidEnv,
    disable_env_checker=True,
    kwargs={"env_cfg_entry_point": HumanoidEnvCfg, "rsl_rl_cfg_entry_point": HumanoidRunnerCfg, "default_agent": "rsl_rl"},
)
