"""Isaac Lab tasks of the project."""
