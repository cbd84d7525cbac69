# run_fitted.py QRUN M.qmod REPORT.json CONTEXT: runs a sequence of CONTEXT tokens in the memory that the report
# says is needed beside the file, and fails to in the half of it.
# run_fitted.py --more-weights A.json B.json: B has room for more weights than A.
import json
import os
import subprocess
import sys
import tempfile

if sys.argv[1] == "--more-weights":
    a, b = (json.load(open(f))["fit"] for f in sys.argv[2:4])
    assert b["kv_bytes"] < a["kv_bytes"] and b["weight_bytes"] > a["weight_bytes"], (a, b)
    sys.exit(0)

qrun, model, report, context = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3])), int(sys.argv[4])
fit = report["fit"]
assert fit["weight_bytes"] >= os.path.getsize(model) * 0.99, (fit, os.path.getsize(model))
with tempfile.TemporaryDirectory() as folder:
    ids = os.path.join(folder, "ids.json")
    json.dump([[5 + i % 90 for i in range(context - 20)]], open(ids, "w"))

    def run(memory):
        return subprocess.run([qrun, "complete", model, "--ids", ids, "-n", "20", "--ignore-eos", "--ctx", str(context),
                               "--json", "--max-memory", str(memory)], capture_output=True, text=True)

    full = run(fit["kv_bytes"] + fit["activation_bytes"])
    assert full.returncode == 0, full.stderr
    assert len(json.loads(full.stdout)["ids"][0]) == 20, full.stdout
    half = run((fit["kv_bytes"] + fit["activation_bytes"]) // 2)
    assert half.returncode == 7, (half.returncode, half.stderr)
