#!/usr/bin/env python3
"""What a device measured beside what the model of tools/dev/cuda-roofline says, as Markdown (docs/cuda.md).

  cuda_report.py [--products FILE ...] [--bench FILE ...] [--others FILE ...]

FILE of --products: JSON of qrt_cuda_bench; of --bench: JSON of `qrun bench --device cuda`; of --others: either, measured
with kernels left out or changed (docs/cli.md, Environment), of which no goal speaks. Files give their names to what
they hold. Floors are computed with the
copy rate that qrt_cuda_bench measured in the same run, without it with 3.0 TB/s; 800 TFLOP/s for the tensor cores, twice
that for 8-bit activations (w4a8), of which no goal speaks. For models the copy rate is that of the first FILE of products.
Exit code 1 where a goal of the project is missed on a matrix or model that the goal names, 2 for bad arguments.
"""
import argparse
import importlib.machinery
import importlib.util
import json
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("cuda_roofline", str(here / "cuda-roofline"))
sys.dont_write_bytecode = True
roofline = importlib.util.module_from_spec(importlib.util.spec_from_loader("cuda_roofline", loader))
loader.exec_module(roofline)

STREAMING_GOAL = 0.85  # W4, up to 16 rows, matrices over 20 MB, of the copy rate
PREFILL_GOAL = 0.70  # W4, 512 rows and more, of the tensor rate
STEP_GOAL = 0.75  # batch 1, of the bytes of a step at the copy rate, models over 2 GB


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def products(name, data, missed):
    copy = data["copy_bytes_per_second"]
    print(f"\n## {name} on {data['device']}{' (EMULATED: the figures mean nothing)' if data['emulated'] else ''}\n")
    print(f"Copy, bytes read and written: {copy / 1e12:.2f} TB/s. A launch in a graph: {data['launch_microseconds']:.2f} us.\n")
    print("| N x K | weights | rows | us | +- | TB/s | of copy | TFLOP/s | of 800 | floor us | floor / us |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for row in data["products"]:
        seconds = row["microseconds"] / 1e6
        rate, flops = row["bytes"] / seconds, row["operations"] / seconds
        int8 = row.get("type") == "a8"
        name = row["format"] + ("a8" if int8 else "")
        floor = max(row["bytes"] / copy, row["operations"] / roofline.TENSOR / (2 if int8 else 1))
        mark = ""
        large = row["bytes"] > 20e6
        if name == "w4" and large and row["m"] <= 16 and rate / copy < STREAMING_GOAL:
            mark = " !"
        if name == "w4" and large and row["m"] >= 512 and flops / roofline.TENSOR < PREFILL_GOAL:
            mark = " !"
        if mark and not data["emulated"]:
            missed.append(f"{row['n']}x{row['k']} {name} rows {row['m']}")
        print(f"| {row['n']} x {row['k']} | {name} | {row['m']} | {row['microseconds']:.2f} | {row['spread']:.2f}"
              f" | {rate / 1e12:.2f} | {rate / copy:.2f} | {flops / 1e12:.1f} | {flops / roofline.TENSOR:.2f}"
              f" | {floor * 1e6:.2f} | {floor / seconds:.2f}{mark} |")


def models(paths, copy, missed):
    print("\n## Models\n")
    print("| model | kv | what | context | batch | tok/s | bytes of a step at the copy rate: tok/s | share |")
    print("|---|---|---|---|---|---|---|---|")
    for path in paths:
        data, name = read(path), pathlib.Path(path).stem.removeprefix("bench-")
        for case in data["cases"]:
            # A decode step reads the weights once and the keys and values of every sequence.
            context, batch = case["context"], case["batch"]
            floor = ""
            share = ""
            if case["case"] == "decode":
                step = data["step_bytes"] + batch * context * data["kv_bytes_per_token"]
                best = batch * copy / step
                floor, share = f"{best:.0f}", f"{case['tokens_per_second'] / best:.2f}"
                if batch == 1 and data["step_bytes"] > 2e9 and case["tokens_per_second"] / best < STEP_GOAL:
                    share += " !"
                    missed.append(f"{name} context {context}")
            print(f"| {name} | {data['kv_type']} | {case['case']} | {context} | {batch}"
                  f" | {case['tokens_per_second']:.1f} | {floor} | {share} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", nargs="*", default=[])
    parser.add_argument("--bench", nargs="*", default=[])
    parser.add_argument("--others", nargs="*", default=[])
    options = parser.parse_args()
    if not options.products and not options.bench:
        parser.error("nothing to report: give --products or --bench")
    missed = []
    print("# Measured on the device")
    files = [(pathlib.Path(path).stem, read(path)) for path in options.products]
    copy = files[0][1]["copy_bytes_per_second"] if files else roofline.BANDWIDTH
    for name, data in files:
        products(name.capitalize(), data, missed)
    if options.bench:
        models(options.bench, copy, missed)
    others = {path: read(path) for path in options.others}
    for path, data in others.items():
        if "products" in data:
            products(pathlib.Path(path).stem.capitalize(), data, [])
    if steps := [path for path, data in others.items() if "products" not in data]:
        models(steps, copy, [])
    if missed:
        print(f"\nBelow its goal (marked !): {'; '.join(missed)}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
