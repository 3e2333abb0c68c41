"""The ostrich tasks for Isaac Lab. Importing this package registers them with Gymnasium."""

import gymnasium as gym

gym.register(
    id="Isaac-Velocity-Flat-Ostrich-v0",
    entry_point="isaaclab.envs:ManagerBasedRLEnv",
    disable_env_checker=True,
    kwargs={
        "env_cfg_entry_point": f"{__name__}.flat_env_cfg:OstrichFlatEnvCfg",
        "rsl_rl_cfg_entry_point": f"{__name__}.agents:OstrichFlatRunnerCfg",
        "default_agent": "rsl_rl",
    },
)
