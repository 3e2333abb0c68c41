"""The algorithm: discriminator, style reward, runner and checkpoints."""
