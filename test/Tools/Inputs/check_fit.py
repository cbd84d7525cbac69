# check_fit.py REPORT.json LIMIT PART: what running takes is below LIMIT and uses at least PART of it.
import json
import sys

fit, limit, part = json.load(open(sys.argv[1]))["fit"], int(sys.argv[2]), float(sys.argv[3])
assert fit["total_bytes"] == fit["weight_bytes"] + fit["kv_bytes"] + fit["activation_bytes"]
assert part * limit <= fit["total_bytes"] <= limit, fit
