"""The discriminator: normaliser, network, loss and style reward.

Peng et al., "AMP: Adversarial Motion Priors for Stylized Physics-Based Character Control", 2021, with the loss of
Goodfellow et al. 2014 (binary cross-entropy) and the reward -log(1 - D) of Ho and Ermon 2016.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from rsl_rl.modules import MLP, EmpiricalNormalization
from torch import nn
from torch.nn.functional import softplus

from amp_runner.errors import ConfigError, suggestion
from amp_runner.learning.config import DiscriminatorCfg
from amp_runner.state import AMPStateSpec

_PENALTY_PART = 4  # the penalty is estimated on one in so many expert windows


class Discriminator(nn.Module):
    """Classifies windows as reference motion (positive logits) or policy motion (negative logits)."""

    def __init__(
        self,
        frame_dim: int,
        num_frames: int,
        cfg: DiscriminatorCfg,
        device: str | torch.device = "cpu",
        seed: int = 0,
        ignored_columns: Sequence[int] = (),
    ) -> None:
        """Build the network and its optimizer.

        Args:
            frame_dim: D, numbers in a frame.
            num_frames: K, frames in a window.
            cfg: network size and training constants.
            device: device of the network.
            seed: seed of the initial weights.
            ignored_columns: columns of a frame that the network does not see; see :func:`ignored_columns`.
        """
        super().__init__()
        self.cfg = cfg
        self.normalizer = EmpiricalNormalization(frame_dim)
        visible = [column for column in range(frame_dim) if column not in set(ignored_columns)]
        self._visible: torch.Tensor | None
        self.register_buffer("_visible", torch.tensor(visible) if ignored_columns else None, persistent=False)
        # The global generator must stay untouched: PPO with style_weight=0 is bitwise plain PPO.
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs as well
            self.net = MLP(num_frames * len(visible), 1, cfg.hidden_dims, cfg.activation)
        self.to(device)
        # One kernel for all parameters, which can be part of a CUDA graph.
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(),
            lr=cfg.learning_rate,
            weight_decay=cfg.weight_decay,
            fused=True,
            capturable=torch.device(device).type == "cuda",
        )

    def load_optimizer_state(self, state: dict) -> None:
        """Restore the optimizer's state, which may come from another kind of device."""
        own = {flag: self.optimizer.defaults[flag] for flag in ("fused", "capturable")}
        groups = [group | own for group in state["param_groups"]]
        self.optimizer.load_state_dict({**state, "param_groups": groups})

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute the logits of windows (..., K, D), shape (...)."""
        return self.logits(self._network_input(windows))

    def _network_input(self, windows: torch.Tensor) -> torch.Tensor:
        """Normalise windows (..., K, D) and flatten their visible columns, (..., F)."""
        normalized = self.normalizer(windows)
        return (normalized if self._visible is None else normalized[..., self._visible]).flatten(-2)

    def logits(self, network_input: torch.Tensor) -> torch.Tensor:
        """Compute the logits of prepared windows (..., F), shape (...)."""
        return self.net(network_input).squeeze(-1)

    @torch.no_grad()
    def style_reward(self, windows: torch.Tensor, epsilon: float) -> torch.Tensor:
        """Compute the style reward -log(max(1 - D, epsilon)), at most -log(epsilon).

        With D = sigmoid(x), -log(1 - D) = softplus(x), which neither overflows nor loses digits near D = 1.

        Args:
            windows: shape (..., K, D).
            epsilon: lower bound of 1 - D.

        Returns:
            Rewards, shape (...), not negative.
        """
        cap = -torch.log(torch.tensor(epsilon, device=windows.device))
        return torch.minimum(softplus(self(windows)), cap)

    def update_normalizer(self, expert: torch.Tensor, policy: torch.Tensor) -> None:
        """Update the running mean and variance with windows of both sides, shapes (B, K, D), in equal numbers."""
        self.normalizer.update(torch.cat([expert, policy]).flatten(0, 1))

    @torch.no_grad()
    def training_input(self, windows: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Prepare windows (..., K, D) for :meth:`loss`, shape (..., F).

        They are normalised, and noise hides details finer than itself from the discriminator.
        """
        network_input = self._network_input(windows)
        if self.cfg.input_noise == 0:
            return network_input
        noise = torch.empty_like(network_input).normal_(std=self.cfg.input_noise, generator=generator)
        return noise.add_(network_input)

    def loss(self, expert: torch.Tensor, policy: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Compute the binary cross-entropy of expert against policy windows, with a gradient penalty on the expert's.

        The penalty is estimated on a part of the expert windows, since it needs a second backward pass.

        Args:
            expert: expert windows, prepared by :meth:`training_input`, shape (B, F).
            policy: policy windows, prepared likewise, shape (B, F).

        Returns:
            The loss (a scalar) and detached statistics (scalars, unsynchronised).
        """
        count = len(expert)
        penalized = expert[: max(1, count // _PENALTY_PART)].detach().requires_grad_()
        penalized_logit = self.logits(penalized)
        logits = torch.cat([penalized_logit, self.logits(torch.cat([expert[len(penalized) :], policy]))])
        expert_logit, policy_logit = logits[:count], logits[count:]
        # -log D(expert) - log(1 - D(policy)), each side with half of the weight
        cross_entropy = 0.5 * (softplus(-expert_logit).mean() + softplus(policy_logit).mean())
        penalty = gradient_penalty(penalized_logit, penalized)
        statistics = {
            "discriminator_loss": cross_entropy,
            "gradient_penalty": penalty,
            "accuracy_expert": (expert_logit > 0).float().mean(),
            "accuracy_policy": (policy_logit < 0).float().mean(),
            "logit_expert": expert_logit.mean(),
            "logit_policy": policy_logit.mean(),
        }
        loss = cross_entropy + self.cfg.gradient_penalty * penalty
        return loss, {name: value.detach() for name, value in statistics.items()}


def gradient_penalty(logits: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Compute the mean squared norm of the logits' gradient with respect to the inputs (Mescheder et al. 2018, R1).

    Args:
        logits: shape (B,).
        inputs: shape (B, ...), from which the logits were computed.

    Returns:
        A scalar that can be differentiated again.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


def ignored_columns(cfg: DiscriminatorCfg, spec: AMPStateSpec | None) -> list[int]:
    """Return the columns of a frame that the discriminator does not see.

    Raises:
        ConfigError: the layout of the AMP state is unknown or lacks one of ``cfg.ignored_features``, or none would be left.
    """
    key, names = "amp_cfg.discriminator.ignored_features", cfg.ignored_features
    if not names:
        return []
    if spec is None:
        raise ConfigError(f"{key} needs the layout of the AMP state: set env.amp_spec or amp_cfg.layout")
    for name in names:
        if name not in spec.features:
            hint = suggestion(str(name), spec.layout) or "."
            raise ConfigError(f"{key}: the AMP state has no '{name}'{hint} It has {', '.join(spec.layout)}")
    if set(names) == set(spec.layout):
        raise ConfigError(f"{key} names every feature; the discriminator needs at least one")
    return [column for name in names for column in range(spec.dim)[spec.features[name]]]
