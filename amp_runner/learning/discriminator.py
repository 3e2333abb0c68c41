"""The discriminator: normaliser, network, loss and style reward.

Peng et al., "AMP: Adversarial Motion Priors for Stylized Physics-Based Character Control", 2021, with the loss of
Goodfellow et al. 2014 (binary cross-entropy) and the reward -log(1 - D) of Ho and Ermon 2016.
"""

from __future__ import annotations

import torch
from rsl_rl.modules import MLP, EmpiricalNormalization
from torch import nn
from torch.nn.functional import softplus

from amp_runner.learning.config import DiscriminatorCfg


class Discriminator(nn.Module):
    """Classifies windows as reference motion (positive logits) or policy motion (negative logits)."""

    def __init__(
        self, frame_dim: int, num_frames: int, cfg: DiscriminatorCfg, device: str | torch.device = "cpu", seed: int = 0
    ) -> None:
        """Build the network and its optimizer.

        Args:
            frame_dim: D, numbers in a frame.
            num_frames: K, frames in a window.
            cfg: network size and training constants.
            device: device of the network.
            seed: seed of the initial weights.
        """
        super().__init__()
        self.cfg = cfg
        self.normalizer = EmpiricalNormalization(frame_dim)
        # The global generator must stay untouched: PPO with style_weight=0 is bitwise plain PPO.
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs as well
            self.net = MLP(num_frames * frame_dim, 1, cfg.hidden_dims, cfg.activation)
        self.to(device)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=cfg.learning_rate, weight_decay=cfg.weight_decay)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute the logits of windows (..., K, D), shape (...)."""
        return self.logits(self.normalizer(windows))

    def logits(self, normalized: torch.Tensor) -> torch.Tensor:
        """Compute the logits of normalised windows (..., K, D), shape (...)."""
        return self.net(normalized.flatten(-2)).squeeze(-1)

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

    def loss(
        self, expert: torch.Tensor, policy: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Compute the binary cross-entropy of expert against policy windows, with a gradient penalty on the expert's.

        Args:
            expert: expert windows, shape (B, K, D).
            policy: policy windows, shape (B, K, D).
            generator: source of the input noise.

        Returns:
            The loss (a scalar) and detached statistics (scalars, unsynchronised).
        """
        expert_input = self._training_input(expert, generator).requires_grad_()
        expert_logit = self.logits(expert_input)
        policy_logit = self.logits(self._training_input(policy, generator))
        # -log D(expert) - log(1 - D(policy)), each side with half of the weight
        cross_entropy = 0.5 * (softplus(-expert_logit).mean() + softplus(policy_logit).mean())
        penalty = gradient_penalty(expert_logit, expert_input)
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

    def _training_input(self, windows: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Normalise windows and add noise, which hides details finer than the noise from the discriminator."""
        normalized = self.normalizer(windows)
        if self.cfg.input_noise == 0:
            return normalized.detach()
        noise = torch.randn(normalized.shape, generator=generator, device=normalized.device, dtype=normalized.dtype)
        return (normalized + self.cfg.input_noise * noise).detach()


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
