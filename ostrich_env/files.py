"""Clips, presets and policies that come with the package, in a checkout and in an installed wheel."""

from pathlib import Path

_FOLDERS = ("motions", "configs", "policies")
_ROOTS = (Path(__file__).parent, Path(__file__).parents[1])  # of a wheel, and of a checkout


def shipped_file(name: str) -> str:
    """Return the path of a file such as ``motions/walk.npz``.

    Raises:
        FileNotFoundError: the package has no such file.
    """
    for root in _ROOTS:
        if (root / name).is_file():
            return str(root / name)
    raise FileNotFoundError(f"{name}: no such file; the package has {', '.join(shipped_files())}")


def shipped_files() -> list[str]:
    """Return the paths of all files, sorted."""
    root = next(root for root in _ROOTS if (root / _FOLDERS[0]).is_dir())
    files = (path for folder in _FOLDERS for path in (root / folder).rglob("*") if path.suffix in (".npz", ".yaml", ".pt"))
    return sorted(map(str, files))
