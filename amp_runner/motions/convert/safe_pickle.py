"""Reads pickled arrays without executing anything."""

from __future__ import annotations

import io
import math
import pickle
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.clip import read_bytes


class _PlainDtype:
    """A data type by its code and byte order; the rest of a pickled type could misdescribe the memory."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or np.dtype(code).names is not None or np.dtype(code).subdtype is not None:
            raise pickle.UnpicklingError(f"holds an array of {code!r}; expected plain numbers, strings or containers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _PlainArray(np.ndarray):
    """An array whose state is checked: NumPy reads past the end of a list that is shorter than the declared shape."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, plain, fortran_order, data = state
        if any(length < 0 for length in shape):
            raise pickle.UnpicklingError(f"declares an array of shape {shape}")
        if plain.dtype.hasobject and (not isinstance(data, list) or len(data) != math.prod(shape)):
            raise pickle.UnpicklingError(f"its array of shape {shape} holds another number of objects")
        super().__setstate__((1, shape, plain.dtype, fortran_order, data))


def _reconstruct(*_: Any) -> _PlainArray:
    return _PlainArray(0)


def _scalar(plain: _PlainDtype, data: bytes) -> Any:
    return np.frombuffer(data, plain.dtype, count=1)[0]


def _frombuffer(data: bytes, plain: _PlainDtype, shape: tuple[int, ...], order: Any) -> np.ndarray:
    return np.frombuffer(data, plain.dtype).reshape(shape, order=order)


class _PlainUnpickler(pickle.Unpickler):
    """Restores NumPy arrays and plain containers; rejects every other class before an object of it exists."""

    _CLASSES = {
        ("numpy", "ndarray"): None,  # an argument of _reconstruct; calling it could turn bytes into object pointers
        ("numpy", "dtype"): _PlainDtype,
        **{
            (f"{package}.{module}", name): maker
            for package in ("numpy.core", "numpy._core")
            for module, name, maker in (
                ("multiarray", "_reconstruct", _reconstruct),
                ("multiarray", "scalar", _scalar),
                ("numeric", "_frombuffer", _frombuffer),
            )
        },
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._CLASSES:
            raise pickle.UnpicklingError(f"needs {module}.{name}, which is neither a NumPy array nor a plain container")
        return self._CLASSES[module, name]


def load_plain_pickle(path: str) -> Any:
    """Read a pickle, bare or in a .npy file, that holds only NumPy arrays and plain containers.

    Raises:
        MotionError: the file is damaged, or restoring it needs any other class. Nothing in it is executed.
    """
    stream = io.BytesIO(read_bytes(path))
    try:
        if stream.getvalue().startswith(np.lib.format.MAGIC_PREFIX):
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            _, _, dtype = header(stream)
            if not dtype.hasobject:
                raise pickle.UnpicklingError(
                    f"is a bare array of {dtype} without a description; expected the dictionary that "
                    "amp-rsl-rl saves, or store AMP states as 'amp_states' in an .npz"
                )
        return _PlainUnpickler(stream).load()
    except Exception as error:  # a damaged pickle raises many kinds
        raise MotionError(f"{path}: not loaded: {error}") from None
