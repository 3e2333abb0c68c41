"""The ostrich tasks for Isaac Lab. Importing this package registers them with Gymnasium, if that is installed."""

try:
    import gymnasium
except ImportError:  # tools for clips need the robot's files only
    gymnasium = None

_TASKS = (
    ("Flat", "flat_env_cfg:OstrichFlatEnvCfg", "OstrichFlatRunnerCfg"),
    ("Flat-SimToReal", "sim_to_real_env_cfg:OstrichSimToRealEnvCfg", "OstrichSimToRealRunnerCfg"),
    ("Rough", "rough_env_cfg:OstrichRoughEnvCfg", "OstrichRoughRunnerCfg"),
)

for _variant, _env_cfg, _runner_cfg in _TASKS if gymnasium else ():
    gymnasium.register(
        id=f"Isaac-Velocity-{_variant}-Ostrich-v0",
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={
            "env_cfg_entry_point": f"{__name__}.tasks.{_env_cfg}",
            "rsl_rl_cfg_entry_point": f"{__name__}.tasks.rsl_rl_cfg:{_runner_cfg}",
            "default_agent": "rsl_rl",
        },
    )
