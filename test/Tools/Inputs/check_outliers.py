"""check_outliers.py FOLDER: a.qmod has 1 % outliers, none.qmod has none; what reports say of them."""
import json
import os
import sys

folder = sys.argv[1]


def load(name):
    with open(os.path.join(folder, name)) as file:
        return json.load(file)


with_outliers, without, plan = load("inspect.json"), load("none-inspect.json"), load("plan.json")
shapes = {t["name"]: t["shape"] for t in with_outliers["tensors"]}
linears = [n[: -len(".outlier_rows")] for n in shapes if n.endswith(".outlier_rows")]
assert linears and with_outliers["outliers"]["linears"] == len(linears)
weights = bytes_ = elements = 0
for name in linears:
    n, k = shapes[name]
    count = shapes[name + ".outlier_values"][0]
    assert count == max(1, round(0.01 * n * k)), (name, count)
    assert shapes[name + ".outlier_columns"] == [count] and shapes[name + ".outlier_rows"] == [n + 1]
    weights += count
    bytes_ += 4 * count + 4 * (n + 1)
    elements += n * k
assert with_outliers["outliers"]["weights"] == weights
assert with_outliers["outliers"]["bytes"] == bytes_
assert without["outliers"] is None
more = with_outliers["bits_per_weight"] - without["bits_per_weight"]
assert 0.3 < more < 0.5, more
assert abs(plan["file_bytes"] - os.path.getsize(os.path.join(folder, "a.qmod"))) < 8192
for report, least in (("a.json", 1), ("none.json", 0)):
    for linear in load(report)["linears"]:
        assert (linear["outliers"] > 0) == bool(least), linear
before = {l["name"]: l["relative_loss"] for l in load("none.json")["linears"]}
after = {l["name"]: l["relative_loss"] for l in load("a.json")["linears"]}
better = sum(after[name] < before[name] for name in before)
assert better >= 0.8 * len(before), (better, len(before))
