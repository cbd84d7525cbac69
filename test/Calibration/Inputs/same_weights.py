# same_weights.py QRUN A.qmod B.qmod: the same stored tensors (recipes and provenance may differ).
import hashlib
import os
import subprocess
import sys
import tempfile


def weights(qrun, model):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([qrun, "dump", model, "-o", folder], check=True, stdout=subprocess.DEVNULL)
        return {f: hashlib.sha256(open(os.path.join(folder, f), "rb").read()).hexdigest() for f in os.listdir(folder)}


a, b = (weights(sys.argv[1], model) for model in sys.argv[2:4])
assert a and a == b, sorted(f for f in a.keys() | b.keys() if a.get(f) != b.get(f))
