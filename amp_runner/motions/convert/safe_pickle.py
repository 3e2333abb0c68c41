"""Reads pickled arrays and tensors without executing anything."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from typing import Any

import numpy as np

from amp_runner.errors import MotionError
from amp_runner.motions.npz import A_MOTION, check_unpacked_size, read_bytes


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
        ("collections", "OrderedDict"): dict,
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


def _check_declarations(content: bytes) -> None:
    """Check that lengths and memo numbers fit the bytes that are there: the unpickler allocates what they declare.

    Raises:
        ValueError: they do not, or the pickle is damaged.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and (argument or 0) > len(content):
            raise ValueError(f"declares object number {argument} in a file of {len(content)} bytes")


def load_plain_pickle(path: str) -> Any:
    """Read a pickle, bare or in a .npy file, that holds only NumPy arrays and plain containers; or a plain .npy array.

    Raises:
        MotionError: the file is damaged, or restoring it needs any other class. Nothing in it is executed.
    """
    stream = io.BytesIO(read_bytes(path, A_MOTION))
    try:
        if stream.getvalue().startswith(np.lib.format.MAGIC_PREFIX):
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            _, _, dtype = header(stream)
            if not dtype.hasobject:
                return np.load(io.BytesIO(stream.getvalue()), allow_pickle=False)
        _check_declarations(stream.getvalue()[stream.tell() :])
        return _PlainUnpickler(stream).load()
    except Exception as error:  # a damaged pickle raises many kinds
        raise MotionError(f"{path}: not loaded: {error}") from None


def load_torch_archive(path: str) -> dict[str, Any]:
    """Read a dictionary that torch.save wrote, with its tensors as NumPy arrays.

    Raises:
        MotionError: the file is damaged or holds something else. Nothing in it is executed.
    """
    content = read_bytes(path, A_MOTION)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_unpacked_size(path, archive, len(content))
            (index,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
            data = _TorchUnpickler(archive, index).load()
    except MotionError:
        raise
    except Exception as error:  # a damaged archive or pickle raises many kinds
        raise MotionError(f"{path}: not loaded as a file of torch.save: {error}") from None
    if not isinstance(data, dict):
        raise MotionError(f"{path}: holds {type(data).__name__}; expected a dictionary of tensors")
    return data


_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "BoolStorage": "?",
    "ByteStorage": "u1",
}


class _TorchUnpickler(_PlainUnpickler):
    """Restores the tensors of an archive; objects of the project that wrote it become None."""

    def __init__(self, archive: zipfile.ZipFile, index: str) -> None:
        content = archive.read(index)
        _check_declarations(content)
        super().__init__(io.BytesIO(content))
        self._archive, self._folder = archive, index.removesuffix("data.pkl")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module.split(".")[0] == "protomotions":
            return _nothing
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> np.ndarray:
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in _STORAGES.values() or not str(key).isalnum():
            raise pickle.UnpicklingError(f"refers to {pid!r}; expected a storage of numbers")
        return np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), dtype)


def _nothing(*_: Any) -> None:
    return None


def _rebuild_tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *_: Any) -> np.ndarray:
    numbers = (offset, *size, *stride)
    if (
        not isinstance(storage, np.ndarray)
        or len(size) != len(stride)
        or not all(type(n) is int and n >= 0 for n in numbers)
    ):
        raise pickle.UnpicklingError(f"declares a tensor of size {size} and stride {stride}")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if 0 in size or last >= len(storage) or math.prod(size) > len(storage):
        raise pickle.UnpicklingError(f"declares a tensor of size {size} on {len(storage)} numbers")
    bytes_per_number = storage.itemsize
    strides = tuple(step * bytes_per_number for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()
