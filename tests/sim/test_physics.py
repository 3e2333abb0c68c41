"""The physics engine of a task."""

import importlib.util
from types import SimpleNamespace

import pytest

from amp_runner import ConfigError
from amp_runner.isaaclab import physics


@pytest.mark.parametrize("engine", ["OvPhysxCfg", "PhysxAutoCfg"])
def test_a_task_that_needs_physx_where_it_is_missing_is_refused_with_the_command_that_installs_it(monkeypatch, engine):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    env_cfg = SimpleNamespace(sim=SimpleNamespace(physics=type(engine, (), {})()))
    with pytest.raises(ConfigError, match=r"pip install 'amp-runner\[physx\]'"):
        physics.prepare_physics(env_cfg)
