"""Reads .npy and .npz files with the standard library only (the tests install no Python packages)."""
import array
import ast
import struct
import zipfile

_TYPES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B", "|b1": "B"}


class Array:
    """A dense row-major array: `shape` and a flat `array.array` of values."""

    def __init__(self, shape, data):
        self.shape, self.data = tuple(shape), data

    def row(self, *index):
        """The values of the last axis at `index` (one index per leading axis)."""
        assert len(index) == len(self.shape) - 1, (index, self.shape)
        flat = 0
        for i, extent in zip(index, self.shape[:-1]):
            flat = flat * extent + (i + extent if i < 0 else i)
        width = self.shape[-1]
        return self.data[flat * width:(flat + 1) * width]


def parse_npy(raw):
    assert raw[:6] == b"\x93NUMPY", "not an npy file"
    major = raw[6]
    size, start = (struct.unpack("<H", raw[8:10])[0], 10) if major == 1 else (struct.unpack("<I", raw[8:12])[0], 12)
    header = ast.literal_eval(raw[start:start + size].decode("latin1"))
    assert not header["fortran_order"], "fortran order"
    data = array.array(_TYPES[header["descr"]])
    data.frombytes(raw[start + size:])
    count = 1
    for extent in header["shape"]:
        count *= extent
    assert len(data) == count, "truncated npy"
    return Array(header["shape"], data)


def load_npy(path):
    with open(path, "rb") as f:
        return parse_npy(f.read())


def load_npz(path):
    with zipfile.ZipFile(path) as z:
        return {name[:-4]: parse_npy(z.read(name)) for name in z.namelist()}
