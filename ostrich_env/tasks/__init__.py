"""The tasks: environment and agent configurations for Isaac Lab."""
