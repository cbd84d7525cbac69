#!/usr/bin/env python3
"""The study behind docs/reasoning-study.md; see reasoning-study.sh. Only the standard library."""
import argparse
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

from reasoning_tables import (control_table, files_of, fp16_statement, fp16_table, precision_table, statement,
                              table_text)

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
CONTENT_WORDS = "so,the,answer,is,let,me,check,yes"


class Study:
    def __init__(self, args):
        self.args = args
        self.bin = pathlib.Path(args.bin)
        self.work = pathlib.Path(args.work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.current = set()  # made or found by this run
        if args.fresh:
            shutil.rmtree(self.work / "arms", ignore_errors=True)

    def run(self, command, stdin=None, refusal=None):
        """What a tool prints, None where it ends with the exit code `refusal`. A failure ends the study."""
        command = [str(c) for c in command]
        print("+ " + shlex.join(command), file=sys.stderr, flush=True)
        begin = time.time()
        done = subprocess.run(command, input=stdin, text=True, stdout=subprocess.PIPE)
        print(f"  {time.time() - begin:.1f} s: {' '.join(command[:2])}", file=sys.stderr, flush=True)
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
        """The JSON that a command prints, kept in the work directory beside the command that made it."""
        line = shlex.join(str(c) for c in command)
        beside = self.work / (name + ".command")
        if beside.exists() and beside.read_text() != line:
            (self.work / name).unlink(missing_ok=True)
        def make(path):
            text = self.run(command, refusal=refusal)
            path.write_text("null" if text is None else text)
            beside.write_text(line)
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

    def eval(self, name, model, reference, tasks, extra=(), limit=None, seeds=None, keep=True):
        """`keep`: arms outlive an interruption, and the next arm that is added to them."""
        command = [self.bin / "qrun", "eval", model, "--reference", reference, "--tasks", tasks, "--seeds",
                   seeds or self.args.seeds, "--temperature", self.args.temperature, "--max-tokens",
                   self.args.max_tokens, *self.engine(), *extra, "--json"]
        if keep:
            command += ["--work-dir", self.work / "arms"]
        if limit or self.args.limit:
            command += ["--limit", limit or self.args.limit]
        return self.json(name + ".json", command)


def arms_for(tokens, derived, fixed, everything):
    """Every control, or only the penalties; `derived`, `fixed`: what derive-markers found, None where it found nothing."""
    arms = [f"penalty {s}=--marker-penalty {s} --marker-set default50" for s in (1, 2, 3, 4)]
    if fixed["fit"]["strength"]:
        strength = fixed["fit"]["strength"]
        arms.append(f"penalty fitted, {strength}=--marker-penalty {strength} --marker-set default50")
    if derived:
        arms.append("derived")
        if derived["fit"]["strength"]:
            arms.append("fitted")
    if not everything:
        return [x for arm in arms + ["nowait"] for x in ("--arm", arm)]
    # What the papers suggest beside a constant: repeats only, growing with them, only where the model is unsure.
    arms += ["repeats=--marker-penalty 0.01 --marker-ramp 2 --marker-ramp-max 4 --marker-set default50",
             "ramp=--marker-penalty 1 --marker-ramp 1 --marker-ramp-max 4 --marker-set default50",
             *(f"gate {s}=--marker-penalty {s} --marker-entropy-min 0.5 --marker-set default50" for s in (4, 8))]
    if derived:
        arms.append("derived 4=--preset derived --marker-penalty 4")
    budgets = [round(1.5 * tokens), round(2 * tokens)]
    arms += ["nowait", "tip", "cyclicreflex", "dry",
             # The period of the preset is made for traces of thousands of tokens.
             f"cyclicreflex {round(tokens)}=--preset cyclicreflex --marker-period {round(tokens)}",
             "loop rollback=--loop rollback", "loop commit=--loop commit",
             *(f"budget {b}=--think-budget {b} --think-grace 16" for b in budgets),
             f"minimum {budgets[0]}=--min-think {budgets[0]}",
             f"minimum {budgets[0]}, no word=--min-think {budgets[0]} --min-think-message ''",
             "early exit=--early-exit --early-exit-every 16",
             "early exit, stable 1=--early-exit --early-exit-every 16 --early-exit-stable 1",
             f"content words 1=--marker-penalty 1 --marker-words {CONTENT_WORDS}"]
    return [x for arm in arms for x in ("--arm", arm)]


def fp16_arms(quick, loops):
    """Arms with all weights in the second set; `quick`: some for a smoke test, `loops`: there are loops to leave."""
    everything = "everything=--fp16-prompt --fp16-plan 1000000 --fp16-answer"
    plan = "plan 80=--fp16-plan 80"
    unsure = [f"unsure {x}=--fp16-entropy-min {x}" for x in (0.2, 0.4, 0.7)]
    if quick:
        arms = [plan, unsure[1]]
    elif loops:
        arms = ["rescue=--loop fp16", "plan 80, rescue=--fp16-plan 80 --loop fp16",
                "unsure 0.2, rescue, answer=--fp16-entropy-min 0.2 --loop fp16 --fp16-answer",
                *(f"loop {action}=--loop {action}" for action in ("rollback", "break", "commit")), everything]
    else:
        arms = ["outline=--fp16-outline", *(f"plan {n}=--fp16-plan {n}" for n in (16, 40, 80, 120, 160)),
                "prompt=--fp16-prompt", "answer=--fp16-answer", *unsure,
                "plan 40, unsure 0.2=--fp16-plan 40 --fp16-entropy-min 0.2",
                "unsure 0.4, nowait=--fp16-entropy-min 0.4 --preset nowait", everything]
    return [x for arm in arms for x in ("--arm", arm)]


CRITICAL_ARMS = ["plan 80=--fp16-plan 80", "unsure 0.2=--fp16-entropy-min 0.2",
                 "everything=--fp16-prompt --fp16-plan 1000000 --fp16-answer"]


def study_fp16(study, name, source, tasks, reference, traces, label, scheme, flags, loops):
    """The second weight set, of all quantized linears and of the critical ones, at one precision."""
    out = [f"### {name}: FP16 weights at {label}", ""]
    arms = fp16_arms(study.args.quick, loops)
    sets = [("all", arms)]
    if not (loops or study.args.quick):
        sets.append(("critical", [x for arm in CRITICAL_ARMS for x in ("--arm", arm)]))
    results = []
    for which, arms in sets:
        ranked = ["--algo", RTN, "--calib", traces] if which == "critical" else []
        model = study.compile(name, source, f"{scheme} {which}", [*flags, "--with-fp16", which, *ranked], RTN, None)
        result = study.eval(f"{model.stem}.fp16", model, reference, tasks, arms, seeds=study.args.fp16_seeds)
        # Tokens per second need a machine that does nothing else: few problems, a file of their own.
        speeds = result if study.args.quick else study.eval(f"{model.stem}.speed", model, reference, tasks, arms,
                                                            limit=32, seeds=1, keep=False)
        added = json.loads(study.run([study.bin / "qrun", "inspect", model, "--json"]))["fp16_set"]
        out.append(f"{'All' if which == 'all' else 'Critical'}: {added['linears']} of {added['quantized_linears']} "
                   f"linears, {added['bytes'] / 1e6:.1f} MB beside {(model.stat().st_size - added['bytes']) / 1e6:.1f} MB.")
        results.append((which, result, speeds))
    _, result, speeds = results[0]
    out += ["", f"{result['tasks']} problems, {result['seeds']} seeds.", "", *fp16_table(results), "",
            fp16_statement(f"{name}, {label},", result, speeds), ""]
    return out


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
    at = [(l, m, r) for l, m, r in zip(labels, models, files_of(judged)) if l.endswith(RTN)]
    # Round to nearest, where a tenth of the answers or more are lost: there is something to recover.
    full = judged["arms"]["reference"]["accuracy"]["value"]
    recovered = []
    for (scheme, flags, _), (label, _, result) in zip(precisions, at):
        if full - result["accuracy"]["value"] >= 0.1 or args.quick:
            recovered += study_fp16(study, name, source, tasks, reference, traces, label, scheme, flags,
                                    result["loop_rate"] > 0.01)
    if name in args.precision_only:
        return out + recovered
    # Round to nearest, at the first precision whose inflation is beyond its error, and one above it.
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
        few = ["--limit", 8] if args.quick else []
        fixed = study.json(model.stem + ".fixed.json",
                           [*command, *few, "--marker-set", "default50", "-o", model.with_suffix(".fixed.qmod")])
        out += [f"### {name}: controls at {label}", "", table_text(table, fixed, calib), ""]
        compared = study.eval(model.stem + ".controls", derived if table else model, reference, tasks,
                              arms_for(judged["arms"]["reference"]["tokens_mean"], table, fixed, index == chosen))
        out += [*control_table(compared), "", statement(f"{name}, {label},", compared), ""]
    return out + recovered


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
                        help="a model of which only precisions and the FP16 weights are studied")
    parser.add_argument("--tasks")
    parser.add_argument("--calib-tasks")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--fp16-seeds", type=int, help="of the arms with FP16 weights (as --seeds)")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="models that are studied at once")
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--max-tokens", type=int)
    args = parser.parse_args()
    args.seeds = args.seeds or (1 if args.quick else 3)
    args.max_tokens = args.max_tokens or (256 if args.quick else 512)
    study, begin = Study(args), time.time()
    tasks = study.problems(args.tasks, "tasks.jsonl", 4 if args.quick else 400, 20261)
    calib = study.problems(args.calib_tasks, "calib-tasks.jsonl", 20 if args.quick else 300, 31337)
    models = [m.partition("=")[::2] for m in args.model] or [("reasoner", ROOT / "examples/reasoner/model.onnx")]
    lines = ["", f"{min(args.limit or 10 ** 9, len(tasks.read_text().splitlines()))} problems, {args.seeds} seeds, temperature "
             f"{args.temperature}, at most {args.max_tokens} tokens. In brackets: 95 % intervals, bootstrap over problems; bold: "
             "a change that leaves out 0.", ""]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for part in pool.map(lambda m: study_model(study, *m, tasks, calib), models):
            lines += part
    if str(args.doc) == "-":
        print("\n".join(lines))
    else:
        replace_between(pathlib.Path(args.doc), lines)
    print(f"reasoning-study: {time.time() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
