"""The ostrich tasks for Isaac Lab. Importing this package registers them with Gymnasium."""

import gymnasium as gym

for _variant, _env_cfg, _runner_cfg in (
    ("Flat", "tasks.flat_env_cfg:OstrichFlatEnvCfg", "OstrichFlatRunnerCfg"),
    ("Flat-SimToReal", "tasks.sim_to_real_env_cfg:OstrichSimToRealEnvCfg", "OstrichSimToRealRunnerCfg"),
    ("Rough", "tasks.rough_env_cfg:OstrichRoughEnvCfg", "OstrichRoughRunnerCfg"),
):
    gym.register(
        id=f"Isaac-Velocity-{_variant}-Ostrich-v0",
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.{_env_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}.tasks.rsl_rl_cfg:{_runner_cfg}",
            "default_agent": "rsl_rl",
        },
    )
