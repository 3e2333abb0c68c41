"""AMP for mjlab tasks: observation group, reset event, runner, and :func:`with_amp`. Needs mjlab 1.6."""

import lazy_loader

# Imported on first use, so that each module of this package imports no more of mjlab than it needs.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
