"""Registers the task."""

import gymnasium as gym

gym.register(
    id="MyWalker-Walk-Ostrich",
    entry_point="isaaclab.envs:ManagerBasedRLEnv",
    disable_env_checker=True,
    kwargs={
        "env_cfg_entry_point": f"{__name__}.env_cfg:WalkEnvCfg",
        "default_agent": "rsl_rl",
        "rsl_rl_cfg_entry_point": f"{__name__}.rsl_rl_ppo_cfg:PPORunnerCfg",
    },
)
