"""Sphinx configuration. From the repository root: sphinx-build -W --keep-going -b html docs docs/_build"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import generate_configuration  # noqa: E402

import amp_runner  # noqa: E402

generate_configuration.write()


class SimulatorStub(types.ModuleType):
    """Stands in for a module of a simulator. Its decorators change nothing."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> object:
        """Return a class with that name, or a decorator that returns its class."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "configclass":
            return lambda cls: cls
        return type(name, (), {"__module__": self.__name__, "__init__": lambda self, *args, **kwargs: None})


class SimulatorStubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stub for every module of Isaac Lab and mjlab, which are slow to import or absent."""

    def find_spec(self, fullname, path=None, target=None):
        """Return the spec of a stub, or None for modules of other packages."""
        package = fullname.partition(".")[0]
        if package == "mjlab" or package.startswith("isaaclab"):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        """Return the stub."""
        return SimulatorStub(spec.name)

    def exec_module(self, module):
        """Nothing to execute."""


sys.meta_path.insert(0, SimulatorStubs())

project = "amp_runner"
author = "the amp_runner authors"
copyright = author
version = release = amp_runner.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "_generated"]
html_theme = "furo"
html_title = f"amp_runner {version}"
html_show_copyright = False
html_copy_source = False

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def keep_colons(app, what, name, obj, options, lines):
    """Begin with an empty comment, so that napoleon does not split "Weight of the penalty: ..." at the colon."""
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]


def shorten_factories(app, what, name, obj, options, signature, annotation):
    """Write defaults of dataclasses that come from a factory as ``...``, which Sphinx can parse."""
    return (signature and signature.replace("<factory>", "..."), annotation)


def setup(app):
    """Register the functions above; napoleon's own listener comes after :func:`keep_colons`."""
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    app.connect("autodoc-process-signature", shorten_factories)
