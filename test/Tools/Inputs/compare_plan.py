# compare_plan.py PLAN.json FILE.qmod REPORT.json: the plan's sizes against those of the real run.
import json
import os
import sys

plan, report = json.load(open(sys.argv[1])), json.load(open(sys.argv[3]))
size = os.path.getsize(sys.argv[2])
assert abs(plan["file_bytes"] - size) <= 0.01 * size, (plan["file_bytes"], size)
planned = {t["name"]: (t["shape"], t["scheme"], t["bytes"]) for t in plan["tensors"]}
made = {t["name"]: (t["shape"], t["scheme"], t["bytes"]) for t in report["tensors"]}
if "--sizes-only" not in sys.argv:
    assert planned == made, [(n, planned.get(n), made.get(n)) for n in planned | made if planned.get(n) != made.get(n)]
assert plan["peak_bytes"] > 0 and plan["seconds"] > 0
assert plan["peak_bytes_basis"] and plan["seconds_basis"]
print("same sizes")
