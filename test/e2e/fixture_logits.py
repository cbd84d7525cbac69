#!/usr/bin/env python3
"""Compiles model fixtures and compares `qrun logits` with the reference logits stored beside them.

  fixture_logits.py --bin DIR --models DIR [--only SUBSTRING] [--precision f32|bf16|f16] [--rotate]

Every fixture must compile to a raised program that qopt itself has compared with the imported graph; only
mobius_static (caches written in place) stays generic. Then one pass over a batch of unequal prompts, chunked
prefill and step by step decode through the KV cache must agree with the reference (float32 exports: largest
error at most 2e-4 of the logit range; half precision exports or --precision bf16|f16: mean KL at most 1e-3).
With --rotate every model is compiled with all rotations that it takes, and what cannot be rotated must be refused.
Of the reasoner, the greedy choice behind each of 128 reference tokens must be the next one. Where qrun has no
`logits` command that part is left out, and the output says so. Ends with `N passed, N failed`; exit code 0
only when nothing failed, 77 (skipped) when the folder of models is missing. Standard library only.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import npy

# name -> (file, reference, the precision that the export itself computes in)
TINY = {family: [f"{e}.onnx" for e in exporters] for family, exporters in {
    "llama": ["dynamo", "genai_fp32", "mobius", "optimum"], "qwen2": ["dynamo", "genai_fp32", "mobius", "optimum"],
    "gemma3": ["dynamo", "genai_fp32", "mobius", "optimum"], "gpt2": ["dynamo", "mobius", "optimum"],
    "phi3": ["dynamo", "genai_fp32", "mobius", "optimum"], "mistral": ["dynamo", "genai_fp32", "mobius", "optimum"],
}.items()}
TINY["qwen3"] = ["dynamo.onnx", "dynamo_opset23.onnx", "genai_fp32.onnx", "mobius.onnx", "optimum.onnx",
                 "optimum_dtype_fp16.onnx", "optimum_fp16.onnx", "genai_fp16_cuda/model.onnx", "mobius_cpu/model.onnx",
                 "mobius_st/model.onnx", "mobius_static/model.onnx", "optimum_external_one_file/model.onnx",
                 "optimum_external_per_tensor/model.onnx", "genai_int4_cpu/model.onnx"]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{os.path.basename(command[0])} {' '.join(command[1:])}: exit {done.returncode}\n{done.stderr.strip()[-2000:]}")
    return done


def log_softmax(row):
    top = max(row)
    total = math.log(sum(math.exp(x - top) for x in row)) + top
    return [x - total for x in row]


def compare(got, want, half):
    """Largest error as a fraction of the range, or the mean KL for half precision; and the bound."""
    assert len(got) == len(want), f"{len(got)} rows, expected {len(want)}"
    if half:
        kl = 0.0
        for g, w in zip(got, want):
            p, q = log_softmax(w), log_softmax(g)
            kl += sum(math.exp(a) * (a - b) for a, b in zip(p, q))
        return kl / len(got), 1e-3
    span = max(max(w) for w in want) - min(min(w) for w in want)
    worst = max(abs(a - b) for g, w in zip(got, want) for a, b in zip(g, w))
    return (worst if worst == worst else math.inf) / span, 2e-4


class Case:
    """Prompts of unequal length and the reference row of each of their tokens."""

    def __init__(self, prompts, rows, greedy=()):
        self.prompts, self.rows = prompts, rows
        self.greedy = greedy  # pairs of prompt ids and the tokens that greedy decoding appends


def tiny_case(reference):
    z = npy.load_npz(reference)
    single = list(z["single_input_ids"].row(0)) + list(z["single_decode_input_ids"].row(0))
    prompts, rows = [single], [z["single_logits"].row(0, t) for t in range(24)] + [z["single_decode_logits"].row(0, 0)]
    for b in range(2):
        mask = z["batch_attention_mask"].row(b)
        keep = [t for t in range(24) if mask[t]]
        prompts.append([z["batch_input_ids"].row(b)[t] for t in keep] + list(z["batch_decode_input_ids"].row(b)))
        rows += [z["batch_logits"].row(b, t) for t in keep] + [z["batch_decode_logits"].row(b, 0)]
    return Case(prompts, rows)


def reasoner_case(folder):
    prompts, rows = [], []
    for i in range(4):
        ids, logits = npy.load_npy(f"{folder}/prompt{i}.input_ids.npy"), npy.load_npy(f"{folder}/prompt{i}.logits.npy")
        prompts.append(list(ids.data))
        rows += [logits.row(t) for t in range(logits.shape[0])]
    with open(f"{folder}/reference.json") as f:
        greedy = [(p["prompt_ids"], p["greedy_ids"]) for p in json.load(f)["prompts"]]
    return Case(prompts, rows, greedy)


def logits(qrun, qmod, prompts, work, *flags):
    ids, out = os.path.join(work, "ids.json"), os.path.join(work, "out.npy")
    with open(ids, "w") as f:
        json.dump(prompts, f)
    run(qrun, "logits", qmod, "--ids", ids, "-o", out, *flags)
    got = npy.load_npy(out)
    return [got.row(t) for t in range(got.shape[0])]


def check_greedy(qrun, qmod, pairs, work):
    """Greedy decoding gives the reference text if each of its tokens is the best one behind the others."""
    rows, at = logits(qrun, qmod, [prompt + tokens for prompt, tokens in pairs], work), 0
    for number, (prompt, tokens) in enumerate(pairs):
        for i, token in enumerate(tokens):
            row = rows[at + len(prompt) - 1 + i]
            best = max(range(len(row)), key=row.__getitem__)
            if best != token:
                raise RuntimeError(f"prompt {number}: greedy token {i} is {best}, expected {token}")
        at += len(prompt) + len(tokens)
    return f", {len(pairs)} texts of {len(pairs[0][1])} tokens equal"


def rotation_flags(qopt, name, model, work):
    """All rotations that a model takes, after a look at the refusal of the others."""
    # name -> what is left, and the op that the refusal names
    limits = {"gemma3": (["--rotate=values"], "'qir.rms_norm' keeps a gain"),
              "int4": ([], "weights that are quantized already"), "mobius_static": ([], "no token-major graph")}
    flags, reason = next((v for k, v in limits.items() if k in name), (["--rotate"], None))
    if reason:
        refused = subprocess.run([qopt, model, "--f32", "--rotate", "-o", os.path.join(work, "r.qmod")], capture_output=True, text=True)
        if refused.returncode != 5 or reason not in refused.stderr:
            raise RuntimeError(f"--rotate: exit {refused.returncode}, expected 5 and \"{reason}\"\n{refused.stderr[-1000:]}")
    return flags


def compiled(arguments, name, model, work):
    """The .qmod of a model, after a look at qopt's report, and what kind of program it is."""
    qmod, report = os.path.join(work, "m.qmod"), os.path.join(work, "report.json")
    qopt = os.path.join(arguments.bin, "qopt")
    flags = rotation_flags(qopt, name, model, work) if arguments.rotate else []
    run(qopt, model, f"--{arguments.precision}", "-o", qmod, "--report", report, *flags)
    with open(report) as f:
        read = json.load(f)
    expected = "generic" if "mobius_static" in name else "token_major"
    if read["program"] != expected:
        raise RuntimeError(f"a {read['program']} program, expected {expected}: {read['not_raised']}")
    if expected == "token_major" and "logits differ by at most" not in read["verification"]:
        raise RuntimeError(f"raised, but {read['verification']}")
    return qmod, read["program"]


def check(arguments, name, model, case, half, work):
    qmod, kind = compiled(arguments, name, model, work)
    if case is None or not arguments.logits:
        return kind
    qrun = os.path.join(arguments.bin, "qrun")
    half = half or arguments.precision != "f32"
    figures = []
    for label, flags in (("one pass", []), ("chunks of 5", ["--chunk", "5"]), ("last 6 by step", ["--split", "6"])):
        error, bound = compare(logits(qrun, qmod, case.prompts, work, *flags), case.rows, half)
        figures.append(f"{label} {error:.1e}")
        if not error <= bound:
            raise RuntimeError(f"{label}: error {error:.2e} above {bound:.0e} ({'KL' if half else 'of the range'})")
    greedy = check_greedy(qrun, qmod, case.greedy, work) if case.greedy else ""
    return f"{kind}: {', '.join(figures)}{greedy}"


def fixtures(models):
    for family, files in TINY.items():
        folder = os.path.join(models, "tiny", family)
        if not os.path.isdir(os.path.join(models, "tiny")):  # the project's own copies
            folder = os.path.join(models, family)
        for file in files:
            reference = "reference.npz"
            if family == "mistral" and file.split(".")[0] in ("genai_fp32", "mobius"):
                reference = "reference_full_attention.npz"
            reference = os.path.join(folder, reference)
            case = (lambda: None) if "int4" in file else lambda r=reference: tiny_case(r)
            yield f"tiny/{family}/{file}", os.path.join(folder, file), case, "fp16" in file
    reasoner = os.path.join(models, "reasoner")
    for file, half in (("reasoner/optimum_fp32", False), ("reasoner/dynamo_fp16", True),
                       ("reasoner/genai_fp16_cpu", True), ("reasoner_outliers", False)):
        model = os.path.join(models, file, "model.onnx")
        yield file, model, lambda: reasoner_case(os.path.join(reasoner, "reference")), half
    # No reference of its own weights: 4-bit codes of the same model.
    yield "reasoner/genai_int4_cpu", os.path.join(reasoner, "genai_int4_cpu", "model.onnx"), lambda: None, True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--rotate", action="store_true")
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.models):
        print(f"SKIP: {arguments.models} is missing")
        return 77
    qrun = os.path.join(arguments.bin, "qrun")
    arguments.logits = "--split" in subprocess.run([qrun, "logits", "--help"], capture_output=True, text=True).stdout
    if not arguments.logits:
        print("logits are not compared: this qrun has no logits command")
    passed = failed = 0
    for name, model, case, half in fixtures(arguments.models):
        if arguments.only not in name:
            continue
        if not os.path.exists(model):
            print(f"SKIP {name}: {model} is missing")
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                print(f"ok   {name}: {check(arguments, name, model, case(), half, work)}", flush=True)
                passed += 1
            except Exception as error:  # a failed fixture must not hide the others
                print(f"FAIL {name}: {error}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
