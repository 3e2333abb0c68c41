"""YAML of strangers: an error in one line, no endless work."""

import pytest

from amp_runner.safe_yaml import MAX_BYTES, parse_yaml, read_yaml


def test_plain_values_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text("a: [1, 2.5, true, null, 'x']\nb: {c: 1e-3}\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": [1, 2.5, True, None, "x"], "b": {"c": "1e-3"}}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: *a\n",
        "a: &a\n  x: *a\n",
        "a: " + "[" * 5000,
        "a: 2020-13-45",
        "a: !!int ''",
        "a: !!float abc",
        "a: !!bool abc",
        "a: !!timestamp abc",
        "a: !!python/object/apply:os.system ['true']",
        "{",
    ],
)
def test_everything_else_is_an_error_in_one_line(text):
    with pytest.raises(ValueError) as error:
        parse_yaml(text)
    assert "\n" not in str(error.value)


def test_large_and_foreign_files_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"# " + b"x" * MAX_BYTES)
    with pytest.raises(OSError, match="Larger than 1 MiB"):
        read_yaml(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_bytes("größe: 1".encode("latin1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read_yaml(tmp_path / "b.yaml")
