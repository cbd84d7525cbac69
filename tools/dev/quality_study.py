#!/usr/bin/env python3
"""The study behind docs/quality.md; see quality-study.sh. Only the standard library."""
import argparse
import ast
import array
import json
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ALGORITHMS = ["rtn", "hqq", "scale", "awq", "gptq", "awq+gptq", "rotate+gptq"]
WITHOUT_DATA = {"rtn", "hqq"}
WORDPROBLEMS = dict(calib="calib.wordproblems.npy", calib_flags=["--nsamples", "96"],
                    ids="heldout_public.wordproblems.npy", mask="heldout_public.wordproblems.mask.npy",
                    prompts="reasoner/prompts-calib.jsonl", tasks="reasoner/tasks-dev.jsonl", group=128)
# Where it lies in the fixtures (None: to be given), data, and the group of W4 and W3.
MODELS = {
    "reasoner": dict(WORDPROBLEMS, source="reasoner/optimum_fp32"),
    "reasoner_outliers": dict(WORDPROBLEMS, source="reasoner_outliers/model.onnx"),
    "smollm2": dict(source=None, calib="calib.smollm2.npy", calib_flags=["--nsamples", "16", "--seqlen", "512"],
                    ids="heldout_public.smollm2.npy", rows=8, group=64),
}
TARGET = 3.5  # bits per weight of the mixed table
SEEDS = (0, 1)  # of its calibration samples: what one file has is to a third luck


class Missing(Exception):
    """A row that is not known and must or can not be measured."""


class Study:
    def __init__(self, args):
        self.args = args
        self.bin = pathlib.Path(args.bin)
        self.work = pathlib.Path(args.work)
        self.shared = pathlib.Path(args.shared)
        self.work.mkdir(parents=True, exist_ok=True)
        self.deadline = time.time() + 60 * args.minutes

    def fixture(self, kind, name):
        path = self.shared / kind / name
        if not path.exists():
            sys.exit(f"quality-study: {path} is missing; --shared is the folder of the test fixtures")
        return path

    def threads(self):
        return ["-t", self.args.threads] if self.args.threads else []

    def run(self, command):
        """What a tool prints, with its CPU seconds and peak memory."""
        command = [str(c) for c in command]
        print("+ " + shlex.join(command), file=sys.stderr, flush=True)
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        out = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            message = f"quality-study: exit code {child.returncode} of {shlex.join(command)}"
            if self.args.keep_going:
                print(message, file=sys.stderr)
                raise Missing(message)
            sys.exit(message)
        return out, {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024}

    def known(self, name, key, make):
        """JSON of the work directory; `make()` gives it where it is missing or of another command."""
        path = self.work / (name + ".json")
        key = [str(k) for k in key]
        if path.exists() and not self.args.fresh:
            stored = json.loads(path.read_text())
            if stored["key"] == key:
                return stored
        if self.args.known_only or time.time() > self.deadline:
            raise Missing(name)
        result = dict(make(), key=key)
        path.write_text(json.dumps(result))
        return result


class Model:
    def __init__(self, study, name, source):
        self.study, self.name, self.facts = study, name, MODELS[name]
        if source is None and self.facts["source"] is None:
            sys.exit(f"quality-study: --model {name} needs a path, {name}=PATH/model.onnx")
        self.source = pathlib.Path(source) if source else study.fixture("models", self.facts["source"])
        self.calib = study.fixture("text", self.facts["calib"])

    def reference(self):
        path = self.study.work / f"{self.name}-f32.qmod"
        if not path.exists():
            self.study.run([self.study.bin / "qopt", self.source, "--f32", "--quiet", "-o", path])
        return path

    def ids(self):
        """The held-out ids; of long sets the first rows, as a file of the work directory."""
        given = self.study.fixture("text", self.facts["ids"])
        if "rows" not in self.facts:
            return given
        path = self.study.work / f"{self.name}-ids.json"
        path.write_text(json.dumps(read_rows(given, self.facts["rows"])))
        return path

    def data(self):
        return ["--calib", self.calib, *self.facts["calib_flags"]]

    def row(self, label, flags):
        """Compiles with `flags`, evaluates, and forgets the file."""
        study = self.study
        stem = f"{self.name}-{label}".replace(" ", "_").replace("/", "-")
        def make():
            made = study.work / (stem + ".qmod")
            _, used = study.run([study.bin / "qopt", self.source, *flags, *study.threads(), "--quiet", "-o", made])
            mask = ["--mask", study.fixture("text", self.facts["mask"])] if "mask" in self.facts else []
            text, _ = study.run([study.bin / "qrun", "eval", made, "--reference", self.reference(), "--ids",
                                 self.ids(), *mask, *study.threads(), "--json"])
            inspected, _ = study.run([study.bin / "qrun", "inspect", made, "--json"])
            made.unlink()
            result = json.loads(text)
            wanted = ("tokens", "kl_mean", "kl_stderr", "kl_p999", "top1", "ppl", "ppl_reference")
            inspected = json.loads(inspected)
            return dict({k: result[k] for k in wanted}, **used, linears=linears_of(inspected),
                        outlier_bytes=(inspected["outliers"] or {"bytes": 0})["bytes"])
        return Row(label, study.known(stem, flags, make))

    def mean_row(self, label, flags):
        """The mean over calibrations with other samples; the error is that of a mean of independent figures."""
        if "rows" in self.facts:
            return self.row(label, flags)
        rows = [self.row(label if seed == 0 else f"{label} seed {seed}", [*flags, "--seed", seed] if seed else flags)
                for seed in SEEDS]
        values = dict(rows[0].values)
        for key in ("kl_mean", "kl_p999", "top1", "ppl", "cpu_seconds"):
            values[key] = statistics.fmean(row.values[key] for row in rows)
        values["peak_bytes"] = max(row.peak_bytes for row in rows)
        values["kl_stderr"] = max(statistics.stdev(row.kl_mean for row in rows),
                                  statistics.fmean(row.kl_stderr for row in rows)) / len(rows) ** 0.5
        return Row(label, values)

    def solved(self, label, flags):
        """The share of problems that a file solves, and its markers and tokens."""
        study, count = self.study, 200
        stem = f"{self.name}-solved-{label}".replace(" ", "_")
        def make():
            made = study.work / (stem + ".qmod")
            study.run([study.bin / "qopt", self.source, *flags, *study.threads(), "--quiet", "-o", made])
            text, _ = study.run([study.bin / "qrun", "eval", made, "--reference", self.reference(), "--tasks",
                                 study.fixture("models", self.facts["tasks"]), "--limit", count, "--seeds", 1,
                                 "--temperature", 0.6, *study.threads(), "--json"])
            made.unlink()
            arms = json.loads(text)["arms"]
            keep = ("accuracy", "tokens_mean", "markers_per_trace")
            return {arm: {k: arms[arm][k] for k in keep} for arm in ("model", "reference")}
        return study.known(stem, flags, make)


class Row:
    def __init__(self, label, values):
        self.label, self.values = label, values

    def __getattr__(self, name):
        return self.values[name]

    def bits(self):
        stored = sum(l["bytes"] for l in self.linears) + self.values.get("outlier_bytes", 0)
        return stored * 8 / sum(l["weights"] for l in self.linears)

    def cells(self, best=False):
        digits = 7 if self.kl_mean < 0.0001 else 6 if self.kl_mean < 0.01 else 4
        kl, error = f"{self.kl_mean:.{digits}f}", f"{self.kl_stderr:.{digits}f}"
        star = "**" if best else ""
        return (f"{self.bits():.2f} | {star}{kl}{star} ± {error} | {self.kl_p999:.4f} | {100 * self.top1:.2f} % | "
                f"{self.ppl:.4f} | {self.cpu_seconds:.0f} | {self.peak_bytes / 2 ** 20:.0f}")


COLUMNS = "bits per weight | KL | 99.9 % | top-1 | perplexity | CPU s | peak MiB |"


def read_rows(path, count):
    """The first rows of a two-dimensional int32 .npy."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:10 + length].decode())
    if header["descr"] != "<i4" or header["fortran_order"] or len(header["shape"]) != 2:
        sys.exit(f"quality-study: {path} is not an int32 array of two dimensions")
    width = header["shape"][1]
    values = array.array("i", data[10 + length:10 + length + 4 * width * count])
    return [list(values[i * width:(i + 1) * width]) for i in range(min(count, header["shape"][0]))]


def linears_of(inspected):
    """The weights of the blocks: not the tables of embedding and head, which have 8 bits in every row."""
    table = inspected["program"]["vocab_size"]
    return [{"name": t["name"], "weights": t["shape"][0] * t["shape"][1], "bytes": t["bytes"], "scheme": t["scheme"]}
            for t in inspected["tensors"] if len(t["shape"]) == 2 and table not in t["shape"]]


def schemes(model):
    group = model.facts["group"]
    return [("W4", ["--w4a16", "--group-size", group]), ("W3", ["--w3a16", "--group-size", group]),
            ("W2", ["--w2a16", "--group-size", 64])]


def scheme_text(name, flags):
    return f"{name} g{flags[flags.index('--group-size') + 1]}"


def algorithm(model, name):
    return ["--algo", name] + ([] if name in WITHOUT_DATA else model.data())


def attempt(rows, make):
    """A row that cannot be had is left out, where the study may go on without it."""
    try:
        rows.append(make())
    except Missing:
        pass


def algorithms_table(model):
    out = []
    for name, flags in schemes(model):
        rows = []
        for algo in ALGORITHMS:
            attempt(rows, lambda: model.row(f"{name} {algo}", [*flags, *algorithm(model, algo)]))
        if rows:
            reference = rows[0].ppl_reference
            least = min(r.kl_mean for r in rows)
            out += [f"| {scheme_text(name, flags)} | {r.label.split()[1]} | {r.cells(r.kl_mean == least)} |" for r in rows]
            tokens = rows[0].tokens
    if not out:
        return None
    return [f"{tokens} scored tokens; perplexity of the f32 file: {reference:.4f}.", "",
            "| weights | algorithm | " + COLUMNS, "|---|---|---|---|---|---|---|---|---|", *out]


def option_rows(model):
    _, (_, w3), (_, w2) = schemes(model)
    gptq, awq = algorithm(model, "gptq"), algorithm(model, "awq+gptq")
    for name, flags in (("W3", w3), ("W2", w2)):
        yield f"{name}, gptq --gptaq", [*flags, *gptq, "--gptaq"]
        yield f"{name}, awq+gptq --gptaq", [*flags, *awq, "--gptaq"]
        yield f"{name}, gptq --float-moments", [*flags, *gptq, "--float-moments"]
    yield "W2, rotate+rtn", [*w2, "--algo", "rotate+rtn"]
    if "prompts" in model.facts:
        # The statistics that the first one writes, the second one reads.
        stats = model.study.work / f"{model.name}.moments"
        prompts = model.study.fixture("models", model.facts["prompts"])
        weights = ["--calib-weights", "marker=2,end-of-think=4,entropy=1.5"]
        yield "W2, awq+gptq --stats, measured", [*w2, *awq, "--stats", stats]
        yield "W2, awq+gptq --stats, read", [*w2, "--algo", "awq+gptq", "--stats", stats]
        yield "W2, gptq --calib-weights", [*w2, *gptq, *weights]
        for name, temperature in (("", 0.6), (" greedy", 0)):
            yield (f"W2, gptq --calib-self{name}, 96 prompts",
                   [*w2, "--algo", "gptq", "--calib-self", prompts, "--nsamples", 96, "--calib-self-tokens", 256,
                    "--calib-self-temp", temperature])
    yield "W8A16, rtn", ["--w8a16"]
    for algo in ("rtn", "smooth", "smooth+gptq"):
        yield f"W8A8, {algo}", ["--w8a8", *(["--algo", "rtn"] if algo == "rtn" else algorithm(model, algo))]
    for algo in ("rtn", "gptq", "awq+gptq"):
        yield f"W4A8 g{model.facts['group']}, {algo}", ["--w4a8", "--group-size", model.facts["group"],
                                                       *algorithm(model, algo)]


def labelled_table(rows):
    if not rows:
        return None
    return ["| | " + COLUMNS, "|---|---|---|---|---|---|---|---|", *(f"| {r.label} | {r.cells()} |" for r in rows)]


def options_table(model):
    rows = []
    for label, flags in option_rows(model):
        attempt(rows, lambda: model.row(label, flags))
    return labelled_table(rows)


def evenly(linears, low, high):
    """The linears, in order, that get `high` instead of `low` bits: each one where the average of those so
    far stays at most TARGET."""
    chosen, bits, weights = [], 0, 0
    for linear in linears:
        weights += linear["weights"]
        more = bits + high * linear["weights"] <= TARGET * weights
        bits += (high if more else low) * linear["weights"]
        if more:
            chosen.append(linear["name"])
    return chosen


def mixed_table(model):
    _, (_, w3), _ = schemes(model)
    group = model.facts["group"]
    rows = []
    gptq = algorithm(model, "gptq")
    try:
        names = evenly(model.row("W3 gptq", [*w3, *gptq]).linears, 3 + 24 / group, 4 + 16 / group)
    except Missing:
        return None
    pattern = "^(" + "|".join(re.escape(n) for n in names) + f")$=w4a16-g{group}"
    target, keep = ["--target-bpw", TARGET], ["--keep-critical", "5%"]
    for label, flags in ((f"--target-bpw {TARGET}, gptq", [*w3, *gptq, *target]),
                         ("W3 gptq, 4 bits for linears at even distances", [*w3, *gptq, "--tensor-type", pattern]),
                         ("W3 gptq --keep-critical 5%", [*w3, *gptq, *keep]),
                         ("W3 gptq", [*w3, *gptq]),
                         ("W3 g32 sym, gptq", ["--w3a16", "--group-size", 32, "--sym", *gptq])):
        attempt(rows, lambda: model.mean_row(label, flags))
    rtn = [*w3, "--algo", "rtn"]
    for label, flags in (("W3 rtn", rtn), ("W3 rtn --keep-critical 5%", [*rtn, *model.data(), *keep]),
                         ("W3 rtn --keep-critical 5% --outliers none", [*rtn, *model.data(), *keep, "--outliers", "none"]),
                         (f"--target-bpw {TARGET}, awq+gptq", [*w3, *algorithm(model, "awq+gptq"), *target])):
        attempt(rows, lambda: model.row(label, flags))
    return labelled_table(rows)


def solved_table(model):
    if "tasks" not in model.facts:
        return None
    out, reference = [], None
    _, _, (_, w2) = schemes(model)
    for algo in ("rtn", "gptq", "awq+gptq", "rotate+gptq"):
        try:
            result = model.solved(f"W2 {algo}", [*w2, *algorithm(model, algo)])
        except Missing:
            continue
        reference = result["reference"]
        out.append(solved_line(f"W2 g64 {algo}", result["model"]))
    if not out:
        return None
    return ["| | solved of 200 % [95 %] | tokens of the answer | markers per answer |", "|---|---|---|---|",
            solved_line("f32", reference), *out]


def solved_line(name, arm):
    a = arm["accuracy"]
    return (f"| {name} | {100 * a['value']:.1f} [{100 * a['low']:.1f}, {100 * a['high']:.1f}] | {arm['tokens_mean']:.1f} | "
            f"{arm['markers_per_trace']:.2f} |")


TABLES = {"algorithms": algorithms_table, "options": options_table, "mixed": mixed_table, "solved": solved_table}


def replace_table(path, mark, lines):
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    text = path.read_text()
    if begin not in text or end not in text:
        sys.exit(f"quality-study: {path} has no place for {mark}")
    head, rest = text.split(begin)
    path.write_text(head + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(prog="quality-study.sh")
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    parser.add_argument("--bin", default=ROOT / "build/release/bin")
    parser.add_argument("--work", default=ROOT / "build/quality-study")
    parser.add_argument("--doc", default=ROOT / "docs/quality.md", help="'-': standard output")
    parser.add_argument("--shared", default=os.environ.get("QOPT_SHARED") or ROOT.parent / "shared")
    parser.add_argument("--model", action="append", default=[], metavar="NAME[=PATH]")
    parser.add_argument("--table", action="append", default=[], choices=list(TABLES))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep-going", action="store_true", help="leave out rows that fail")
    parser.add_argument("--known-only", action="store_true", help="measure nothing, write what is known")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no row after that")
    args = parser.parse_args()
    study, begin = Study(args), time.time()
    for entry in args.model or ["reasoner", "reasoner_outliers"]:
        name, _, path = entry.partition("=")
        if name not in MODELS:
            sys.exit(f"quality-study: no model '{name}'; there are {', '.join(MODELS)}")
        model = Model(study, name, path or None)
        for table in args.table or TABLES:
            lines = TABLES[table](model)
            if lines is None:
                continue
            if str(args.doc) == "-":
                print(f"\n{name}: {table}\n", *lines, sep="\n", flush=True)
            else:
                replace_table(pathlib.Path(args.doc), f"{name} {table}", lines)
    print(f"quality-study: {time.time() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
