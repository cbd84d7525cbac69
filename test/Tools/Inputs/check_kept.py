"""check_kept.py INSPECT.json PART: what stays in f16, whole linears or outliers, is at most PART of the weights."""
import json
import sys

inspected = json.load(open(sys.argv[1]))
matrices = [t for t in inspected["tensors"] if len(t["shape"]) == 2 and t["scheme"].split("-")[0] in ("f16", "w3a16")]
elements = lambda t: t["shape"][0] * t["shape"][1]
whole = sum(elements(t) for t in matrices if t["scheme"] == "f16")
outliers = inspected["outliers"]["weights"]
total = sum(elements(t) for t in matrices)
assert outliers > 0, "no outliers"
assert whole + outliers <= float(sys.argv[2]) * total + len(matrices), (whole, outliers, total)
