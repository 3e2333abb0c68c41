"""Tasks for the tests, registered on import: the ostrich's, as a template makes it, without AMP; and a faulty one."""

import gymnasium
import torch
from isaaclab.envs import mdp
from isaaclab.managers import ObservationTermCfg, RewardTermCfg
from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from ostrich_env.tasks.flat_env_cfg import OstrichFlatEnvCfg


@configclass
class PlainEnvCfg(OstrichFlatEnvCfg):
    """The ostrich's task without its AMP group and its reset to reference."""

    def __post_init__(self):
        super().__post_init__()
        self.observations.amp, self.events.reset_to_reference, self.compute_final_obs = None, None, False
        self.observations.policy.base_lin_vel = ObservationTermCfg(func=mdp.base_lin_vel)  # as stock tasks have it


def overflowing(env):
    """A reward that becomes infinite in environment 3, in the second iteration."""
    reward = torch.zeros(env.num_envs, device=env.device)
    if env.common_step_counter > 30:
        reward[3] = torch.inf
    return reward


@configclass
class FaultyEnvCfg(OstrichFlatEnvCfg):
    """The ostrich's task with a reward term that overflows."""

    def __post_init__(self):
        super().__post_init__()
        self.rewards.overflowing = RewardTermCfg(func=overflowing, weight=1.0)


@configclass
class PlainRunnerCfg(RslRlOnPolicyRunnerCfg):
    """RSL-RL's PPO."""

    num_steps_per_env = 24
    max_iterations = 10
    save_interval = 1
    experiment_name = "plain"
    obs_groups = {"actor": ["policy"], "critic": ["critic"]}
    actor = RslRlMLPModelCfg(
        hidden_dims=[32],
        activation="elu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=0.8),
    )
    critic = RslRlMLPModelCfg(hidden_dims=[32], activation="elu", obs_normalization=True)
    algorithm = RslRlPpoAlgorithmCfg(
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        clip_param=0.2,
        entropy_coef=0.01,
        num_learning_epochs=2,
        num_mini_batches=2,
        learning_rate=1.0e-3,
        schedule="adaptive",
        gamma=0.99,
        lam=0.95,
        desired_kl=0.01,
        max_grad_norm=1.0,
    )


for name, env_cfg, agent_cfg in (
    ("Plain-Ostrich-v0", f"{__name__}:PlainEnvCfg", f"{__name__}:PlainRunnerCfg"),
    ("Faulty-Ostrich-v0", f"{__name__}:FaultyEnvCfg", "ostrich_env.tasks.rsl_rl_cfg:OstrichFlatRunnerCfg"),
):
    gymnasium.register(
        id=name,
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": env_cfg,
            "rsl_rl_cfg_entry_point": agent_cfg,
            "default_agent": "rsl_rl",
        },
    )
