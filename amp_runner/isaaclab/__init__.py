"""AMP for Isaac Lab tasks: observation group, reset event, configuration classes. Needs Isaac Lab 3.0."""

import lazy_loader

# Imported on first use, so that each module of this package imports no more of Isaac Lab than it needs.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
