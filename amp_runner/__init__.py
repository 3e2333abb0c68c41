"""Adversarial motion priors (AMP) on RSL-RL's PPO.

The environment exposes the observation group ``amp``; the rest is here::

    from amp_runner import AMPOnPolicyRunner
    runner = AMPOnPolicyRunner(env, train_cfg, log_dir="logs/run", device="cuda:0")
    runner.learn(num_learning_iterations=1500, init_at_random_ep_len=True)
"""

import lazy_loader

__version__ = "0.2.0"

# Names are in __init__.pyi and imported on first use: a tool that reads a motion file need not wait for RSL-RL.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
