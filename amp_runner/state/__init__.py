"""The AMP state: its layout, its computation, and its mirror image."""

import lazy_loader

# Imported on first use: reading a layout needs no PyTorch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
