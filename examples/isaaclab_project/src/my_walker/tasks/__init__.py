"""Registers the project's tasks."""

from isaaclab_tasks.utils import import_packages

import_packages(__name__, ["utils", ".mdp"])
