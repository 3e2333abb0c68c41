"""Write the tables of settings from the dataclasses in ``amp_runner/learning/config.py`` and their docstrings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "amp_runner" / "learning" / "config.py"
OUT = DOCS / "_generated" / "configuration_table.md"
CLASSES = {"AMPCfg": "amp_cfg", "DiscriminatorCfg": "amp_cfg.discriminator", "MirrorCfg": "amp_cfg.mirror"}
"""Classes in the order of the tables, and the path of each in the configuration."""


def write() -> None:
    """Write :data:`OUT`, unless it is up to date."""
    source = SOURCE.read_text()
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    content = "\n".join(line for name, path in CLASSES.items() for line in table(source, classes[name], path))
    OUT.parent.mkdir(exist_ok=True)
    if not OUT.exists() or OUT.read_text() != content:
        OUT.write_text(content)


def table(source: str, node: ast.ClassDef, path: str) -> Iterator[str]:
    """Yield the lines of a class's section."""
    yield f"### `{path}`"
    yield ""
    yield f"{{py:class}}`amp_runner.{node.name}`: {to_markdown(ast.get_docstring(node) or '')}"
    yield ""
    yield "| setting | default | description |"
    yield "|---|---|---|"
    for name, default, docstring in settings(source, node):
        yield f"| `{name}` | `{default}` | {to_markdown(docstring)} |"
    yield ""


def settings(source: str, node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Yield name, default and docstring of each field.

    Raises:
        ValueError: a field has no docstring.
    """
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(statement, ast.AnnAssign):
            continue
        name = ast.unparse(statement.target)
        if not isinstance(following, ast.Expr) or not isinstance(following.value, ast.Constant):
            raise ValueError(f"{SOURCE}: {node.name}.{name} has no docstring")
        yield name, default_of(source, statement.value), str(following.value.value)


def default_of(source: str, value: ast.expr | None) -> str:
    """Return the default as it is written; a factory's product instead of the factory."""
    if not isinstance(value, ast.Call):
        return "" if value is None else ast.get_source_segment(source, value) or ""
    (factory,) = (keyword.value for keyword in value.keywords if keyword.arg == "default_factory")
    if isinstance(factory, ast.Lambda):
        return ast.unparse(factory.body)
    return "[]" if ast.unparse(factory) == "list" else f"{ast.unparse(factory)}()"


def to_markdown(docstring: str) -> str:
    """Turn a docstring into one line of MyST."""
    text = " ".join(docstring.split()).replace("|", "\\|")
    return re.sub(r":(\w+):`(.+?)`", r"{py:\1}`\2`", text).replace("``", "`")


if __name__ == "__main__":
    write()
