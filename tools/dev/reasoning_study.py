#!/usr/bin/env python3
"""The study behind docs/reasoning-study.md; see reasoning-study.sh. Only the standard library."""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RTN, GPTQ, AWQ_GPTQ = "rtn", "gptq", "awq+gptq"

# Name, flags of qopt, algorithms that are compared. In order of falling precision.
PRECISIONS = [
    ("W8A8", ["--w8a8"], [RTN]),
    ("W4 g128", ["--w4a16"], [RTN, GPTQ]),
    ("W3 g128", ["--w3a16"], [RTN, GPTQ, AWQ_GPTQ]),
    ("W2 g64", ["--w2a16", "--group-size", "64"], [RTN, GPTQ, AWQ_GPTQ]),
    ("W2 channel", ["--w2a16", "--group-size", "channel"], [RTN, GPTQ, AWQ_GPTQ]),
]
# Words that are no markers: what a penalty on just anything does (protocol of docs/reasoning.md).
CONTENT_WORDS = "more,then,now,has,many,answer,half,number"


class Study:
    def __init__(self, args):
        self.args = args
        self.bin = pathlib.Path(args.bin)
        self.work = pathlib.Path(args.work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.current = set()  # made or found by this run

    def run(self, command, stdin=None, refusal=None):
        """What a tool prints, None where it ends with the exit code `refusal`. A failure ends the study."""
        command = [str(c) for c in command]
        print("+ " + shlex.join(command), file=sys.stderr, flush=True)
        done = subprocess.run(command, input=stdin, text=True, stdout=subprocess.PIPE)
        if done.returncode and done.returncode == refusal:
            return None
        if done.returncode:
            sys.exit(f"reasoning-study: exit code {done.returncode} of {shlex.join(command)}")
        return done.stdout

    def made(self, name, make):
        """A file of the work directory; `make(path)` writes it where it is missing."""
        path = self.work / name
        if path not in self.current and (self.args.fresh or not path.exists()):
            make(path)
        self.current.add(path)
        return path

    def json(self, name, command, refusal=None):
        """The JSON that a command prints, kept in the work directory."""
        def make(path):
            text = self.run(command, refusal=refusal)
            path.write_text("null" if text is None else text)
        return json.loads(self.made(name, make).read_text())

    def problems(self, given, name, count, seed):
        if given:
            return pathlib.Path(given)
        script = ROOT / "tools/dev/word_problems.py"
        return self.made(name, lambda p: p.write_text(self.run([sys.executable, script, count, seed])))

    def compile(self, model, source, scheme, flags, algorithm, traces):
        name = f"{model}-{scheme}-{algorithm}".replace(" ", "").lower() + ".qmod"
        command = [self.bin / "qopt", source, *flags, "--quiet"]
        if algorithm != RTN:
            command += ["--algo", algorithm, "--calib", traces]
        report = self.work / (name + ".report.json")
        return self.made(name, lambda p: self.run([*command, "--report", report, "-o", p]))

    def traces(self, model, reference, tasks):
        """The reference's own traces, as calibration data (arXiv 2504.04823, section 6 of its code)."""
        def make(path):
            lines = [json.loads(l) for l in tasks.read_text().splitlines() if l.strip()]
            messages = "\n".join(json.dumps({"messages": l["messages"]}) for l in lines) + "\n"
            prompts = self.work / f"{model}-prompts.jsonl"
            prompts.write_text(messages)
            rendered = self.run([self.bin / "qrun", "render", reference], stdin=messages).splitlines()
            texts = json.loads(self.run([self.bin / "qrun", "complete", reference, "--prompts", prompts, "--temp",
                                         self.args.temperature, "--max-tokens", self.args.max_tokens, "--json",
                                         *self.engine()]))["text"]
            path.write_text("".join(json.dumps({"text": json.loads(r)["text"] + t}) + "\n"
                                    for r, t in zip(rendered, texts)))
        return self.made(f"{model}-traces.jsonl", make)

    def engine(self):
        return ["-t", self.args.threads] if self.args.threads else []

    def eval(self, name, model, reference, tasks, extra=()):
        command = [self.bin / "qrun", "eval", model, "--reference", reference, "--tasks", tasks, "--seeds",
                   self.args.seeds, "--temperature", self.args.temperature, "--max-tokens",
                   self.args.max_tokens, *self.engine(), *extra, "--json"]
        if self.args.limit:
            command += ["--limit", self.args.limit]
        return self.json(name + ".json", command)


def interval(r, digits=1, scale=100, plus=False):
    """'97.3 [96.0, 98.4]' of {"value", "low", "high"}."""
    def one(x):
        return "–" if x is None else f"{scale * x:{'+' if plus else ''}.{digits}f}"
    return f"{one(r['value'])} [{one(r['low'])}, {one(r['high'])}]"


def significant(r):
    return r["low"] is not None and (r["low"] > 0 or r["high"] < 0)


def precision_table(labels, result):
    """One line per file: MODEL of the command, then those of --also."""
    out = ["| precision | accuracy % | thinking tokens | inflation A | B | C | markers | loops % | lost % | capped % | KL | Spearman |",
           "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    reference = result["arms"]["reference"]
    out.append(f"| f32 | {interval(reference['accuracy'])} | {reference['tokens_mean']:.1f} | 1 | 1 | 1 | "
               f"{reference['markers_per_trace']:.2f} | {100 * reference['loop_rate']:.1f} | "
               f"{100 * reference['lost_rate']:.1f} | {100 * reference['cap_rate']:.1f} | | |")
    for name, arm in zip(labels, files_of(result)):
        forced = arm["teacher_forced"]
        ratios = " | ".join(interval(arm[k], 3, 1) for k in ("ctir_a", "ctir_b", "ctir_c"))
        out.append(f"| {name} | {interval(arm['accuracy'])} | {arm['tokens_mean']:.1f} | {ratios} | "
                   f"{arm['markers_per_trace']:.2f} | {100 * arm['loop_rate']:.1f} | {100 * arm['lost_rate']:.1f} | "
                   f"{100 * arm['cap_rate']:.1f} | {forced['kl_mean']:.4f} | {forced['kl_entropy_spearman']:.3f} |")
    return out


def files_of(result):
    """The judged files as entries of one form."""
    first = dict(result["arms"]["model"])
    for key in ("ctir_a", "ctir_b", "ctir_c", "teacher_forced"):
        first[key] = result[key]
    return [first, *result.get("comparison", [])]


def control_table(result):
    out = ["| control | accuracy % | change | thinking tokens | change % | markers | loops % | lost % | capped % | effective tok/s | acted |",
           "|---|---|---|---|---|---|---|---|---|---|---|"]
    def row(name, arm, speed, changes=("", "")):
        counts = ", ".join(f"{k} {v}" for k, v in arm["controls"].items() if v and k != "marker_hits")
        return (f"| {name} | {interval(arm['accuracy'])} | {changes[0]} | {arm['tokens_mean']:.1f} | {changes[1]} | "
                f"{arm['markers_per_trace']:.2f} | {100 * arm['loop_rate']:.1f} | {100 * arm['lost_rate']:.1f} | "
                f"{100 * arm['cap_rate']:.1f} | {speed:.0f} | {counts} |")
    reference = result["arms"]["reference"]
    out.append(row("*f32*", reference, reference["tokens_per_s"]))
    out.append(row("none", result["arms"]["model"], result["effective_speed"]))
    for arm in result["comparison"]:
        star = lambda key: "**" if significant(arm[key]) else ""
        changes = [star(key) + interval(arm[key], plus=True) + star(key)
                   for key in ("accuracy_change", "tokens_change")]
        out.append(row(arm["name"], arm, arm["effective_speed"], changes))
    return out


def statement(where, result):
    """What the table says about the penalty, in one sentence, whether it is what was hoped for or not."""
    best = None
    for arm in result["comparison"]:
        if not arm["name"].startswith(("penalty", "derived", "fitted")):
            continue
        loses = significant(arm["accuracy_change"]) and arm["accuracy_change"]["value"] < 0
        if not loses and (best is None or arm["tokens_change"]["value"] < best["tokens_change"]["value"]):
            best = arm
    if best is None:
        return f"At {where} every penalty loses accuracy significantly."
    change = best["tokens_change"]
    reached = "reaches" if change["value"] <= -0.12 else "does not reach"
    return (f"At {where} the penalty that saves most without a significant loss of accuracy is `{best['name']}`: "
            f"{interval(change, plus=True)} % thinking tokens, {interval(best['accuracy_change'], plus=True)} points of "
            f"accuracy; it {reached} 12 % fewer.")


def arms_for(tokens, derived, fixed, everything):
    """Every control, or only the penalties; `derived`, `fixed`: what derive-markers found, None where it found nothing."""
    arms = [f"penalty {s}=--marker-penalty {s} --marker-set default50" for s in (0.5, 1, 1.5, 2)]
    if fixed["fit"]["strength"]:
        strength = fixed["fit"]["strength"]
        arms.append(f"penalty fitted, {strength}=--marker-penalty {strength} --marker-set default50")
    if derived:
        arms.append("derived")
        if derived["fit"]["strength"]:
            arms.append("fitted")
    if not everything:
        return [x for arm in arms + ["nowait"] for x in ("--arm", arm)]
    arms += ["nowait", "tip", "cyclicreflex", "dry",
             "loop rollback=--loop rollback", "loop commit=--loop commit",
             f"budget {round(1.5 * tokens)}=--think-budget {round(1.5 * tokens)} --think-grace 16",
             "early exit=--early-exit --early-exit-every 16",
             f"content words 1=--marker-penalty 1 --marker-words {CONTENT_WORDS}"]
    return [x for arm in arms for x in ("--arm", arm)]


def table_text(table, fixed, calib):
    problems = f"{len(calib.read_text().splitlines())} problems of the calibration set"
    rates = lambda fit: (f"markers of it per thousand thinking tokens: f32 {1000 * fit['rate_reference']:.2f}, without penalty "
                         f"{1000 * fit['steps'][0]['rate']:.2f}, at the fitted strength {fit['strength']:.2f} "
                         f"{1000 * fit['rate']:.2f}")
    text = f"The 50 words on {problems}: {rates(fixed['fit'])}. "
    if not table:
        return text + "No word rises consistently enough for a derived table."
    words = ", ".join(f"`{json.dumps(t['text'], ensure_ascii=False)[1:-1]}` {t['strength']:.2f}"
                      for t in sorted(table["tokens"], key=lambda t: -t["strength"]))
    return text + f"Derived table: {words}; {rates(table['fit'])}."


def study_model(study, name, source, tasks, calib):
    args = study.args
    reference = study.compile(name, source, "f32", ["--f32"], RTN, None)
    traces = study.traces(name, reference, calib)
    precisions = [(p, f, a[:1]) for p, f, a in PRECISIONS[-1:]] if args.quick else PRECISIONS
    labels, models = [], []
    for scheme, flags, algorithms in precisions:
        for algorithm in algorithms:
            labels.append(f"{scheme} {algorithm}")
            models.append(study.compile(name, source, scheme, flags, algorithm, traces))
    extra = [x for other in models[1:] for x in ("--also", other)]
    judged = study.eval(f"{name}.precisions", models[0], reference, tasks, extra)
    out = [f"### {name}: precision", "", *precision_table(labels, judged), ""]
    if name in args.precision_only:
        return out
    # Round to nearest, at the first precision whose inflation is beyond its error, and one above it.
    at = [(l, m, r) for l, m, r in zip(labels, models, files_of(judged)) if l.endswith(RTN)]
    inflated = [i for i, (_, _, r) in enumerate(at) if r["ctir_b"]["low"] > 1.02]
    if not inflated and not args.quick:
        out += [f"Round to nearest: no precision inflates the thinking of {name} beyond the error of the measurement "
                "(lower bound of B above 1.02); the controls are studied at the lowest one.", ""]
    chosen = inflated[0] if inflated else len(at) - 1
    for index in sorted({max(0, chosen - 1), chosen}, reverse=True):
        label, model, _ = at[index]
        derived = model.with_suffix(".derived.qmod")
        command = [study.bin / "qrun", "derive-markers", model, "--reference", reference, "--tasks", calib,
                   "--temperature", args.temperature, "--max-tokens", args.max_tokens, *study.engine(), "--json"]
        table = study.json(derived.stem + ".json", [*command, "-o", derived], refusal=2)
        fixed = study.json(model.stem + ".fixed.json",
                           [*command, "--marker-set", "default50", "-o", model.with_suffix(".fixed.qmod")])
        out += [f"### {name}: controls at {label}", "", table_text(table, fixed, calib), ""]
        compared = study.eval(model.stem + ".controls", derived if table else model, reference, tasks,
                              arms_for(judged["arms"]["reference"]["tokens_mean"], table, fixed, index == chosen))
        out += [*control_table(compared), "", statement(f"{name}, {label},", compared), ""]
    return out


def replace_between(path, lines):
    begin, end = "<!-- study: begin -->", "<!-- study: end -->"
    text = path.read_text()
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    path.write_text(head + begin + "\n" + "\n".join(lines).rstrip() + "\n" + end + tail)


def main():
    parser = argparse.ArgumentParser(prog="reasoning-study.sh")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="make everything again")
    parser.add_argument("--bin", default=ROOT / "build/release/bin")
    parser.add_argument("--work", default=ROOT / "build/reasoning-study")
    parser.add_argument("--doc", default=ROOT / "docs/reasoning-study.md", help="'-': standard output")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--precision-only", action="append", default=[], metavar="NAME",
                        help="a model whose controls are not studied")
    parser.add_argument("--tasks")
    parser.add_argument("--calib-tasks")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--max-tokens", type=int, default=512)
    args = parser.parse_args()
    args.seeds = args.seeds or (1 if args.quick else 3)
    study, begin = Study(args), time.time()
    count = 24 if args.quick else 400
    tasks = study.problems(args.tasks, "tasks.jsonl", count, 20261)
    calib = study.problems(args.calib_tasks, "calib-tasks.jsonl", max(count * 3 // 4, 48), 31337)
    models = [m.partition("=")[::2] for m in args.model] or [("reasoner", ROOT / "examples/reasoner/model.onnx")]
    lines = ["", f"{min(args.limit or 10 ** 9, len(tasks.read_text().splitlines()))} problems, {args.seeds} seeds, temperature "
             f"{args.temperature}, at most {args.max_tokens} tokens. In brackets: 95 % intervals, bootstrap over problems; bold: "
             "a change that leaves out 0.", ""]
    for name, source in models:
        lines += study_model(study, name, source, tasks, calib)
    if str(args.doc) == "-":
        print("\n".join(lines))
    else:
        replace_between(pathlib.Path(args.doc), lines)
    print(f"reasoning-study: {time.time() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
