"""close_weights.py A B: folders of `qrun dump` with the same matrices, but for single codes: at most one element in 200
differs. An element that differs may be off by any amount: GPTQ corrects later columns for it."""
import os
import sys

import numpy as np

a, b = sys.argv[1:3]
names = sorted(os.listdir(a))
assert names and names == sorted(os.listdir(b))
for name in names:
    x, y = np.load(os.path.join(a, name)), np.load(os.path.join(b, name))
    assert x.shape == y.shape, name
    different = np.mean(~np.isclose(x, y, rtol=1e-5, atol=1e-7))
    assert different <= 0.005, (name, different)
