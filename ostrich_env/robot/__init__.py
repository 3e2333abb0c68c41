"""The ostrich robot: its description, kinematics, assets and simulation model."""

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
"""Folder of the robot's USD and MJCF files, which ``scripts/build_robot.py`` writes."""
MJCF = str(ASSETS / "ostrich.xml")
"""The robot for plain MuJoCo."""
