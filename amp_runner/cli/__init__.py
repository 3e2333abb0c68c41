"""Console commands. Thin: each parses its arguments and calls the library or Isaac Lab."""
