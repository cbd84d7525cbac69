"""close_weights.py A B: folders of `qrun dump` with the same matrices, but for single codes: at most one element in 200
differs. An element that differs may be off by any amount: GPTQ corrects later columns for it."""
import array
import os
import sys


def read(path):  # float32 .npy of version 1
    with open(path, "rb") as file:
        data = file.read()
    assert data[:6] == b"\x93NUMPY" and b"'<f4'" in data[:128], path
    values = array.array("f")
    values.frombytes(data[10 + int.from_bytes(data[8:10], "little"):])
    return values


a, b = sys.argv[1:3]
names = sorted(os.listdir(a))
assert names and names == sorted(os.listdir(b))
for name in names:
    x, y = read(os.path.join(a, name)), read(os.path.join(b, name))
    assert len(x) == len(y), name
    different = sum(abs(u - v) > 1e-5 * abs(u) + 1e-7 for u, v in zip(x, y))
    assert different <= len(x) / 200, (name, different, len(x))
