"""The library's exceptions. Messages give the place, what was found, what was expected, and what to do."""


class AMPError(ValueError):
    """Base class of the errors that this library raises about its input."""


class MotionError(AMPError):
    """A motion file that cannot be read or does not fit the environment."""


class ConfigError(AMPError):
    """A configuration or an environment that AMP cannot work with."""


class CheckpointError(AMPError):
    """A checkpoint that cannot be read or does not fit the run."""
