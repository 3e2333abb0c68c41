"""The library's exceptions. Messages give the place, what was found, what was expected, and what to do."""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the known name closest to ``name``, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


class AMPError(ValueError):
    """Base class of the errors that this library raises about its input."""


class MotionError(AMPError):
    """A motion file that cannot be read or does not fit the environment."""


class ConfigError(AMPError):
    """A configuration or an environment that AMP cannot work with."""


class CheckpointError(AMPError):
    """A checkpoint that cannot be read or does not fit the run."""


class DivergenceError(AMPError):
    """A training whose actions or losses are no longer finite."""


class EnvError(AMPError):
    """An environment that returned NaN, infinite or impossible numbers."""

    def __init__(self, message: str, group: str | None = None, env_index: int = 0) -> None:
        """Store where the number was found.

        Args:
            message: the whole message.
            group: the observation group; None: the rewards.
            env_index: the first environment.
        """
        super().__init__(message)
        self.group = group
        self.env_index = env_index
