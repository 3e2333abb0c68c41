"""Gait measures of recorded motion against its reference."""
