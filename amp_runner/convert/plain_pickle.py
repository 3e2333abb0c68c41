"""Reading pickles without executing anything in them."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motion_file import read_bytes

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


class _PlainUnpickler(pickle.Unpickler):
    """Restores NumPy arrays and plain containers; refuses every other object before it is made."""

    _ALLOWED = frozenset(
        {
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            *((module, name) for module in _MULTIARRAY for name in ("_reconstruct", "scalar")),
            *((module, "_frombuffer") for module in _NUMERIC),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which is neither a NumPy array nor a plain container")
        return super().find_class(module, name)


def load_plain_pickle(path: str) -> Any:
    """Read a pickle, bare or in a .npy file, that holds NumPy arrays and plain containers only.

    Raises:
        MotionError: the file is damaged, or restoring it would need any other object. Nothing in it is executed.
    """
    stream = io.BytesIO(read_bytes(path))
    try:
        if stream.getvalue().startswith(np.lib.format.MAGIC_PREFIX):
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            header(stream)
        return _PlainUnpickler(stream).load()
    except Exception as error:  # a damaged pickle raises many kinds
        raise MotionError(f"{path}: not loaded: {error}") from None
