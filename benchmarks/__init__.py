"""Measurements of speed and gait, and comparisons with other libraries."""
