"""Runs every engine in a process of its own, in turns, and writes a table of medians. See compare.sh.

An engine that is not being measured is stopped (SIGSTOP), so that its threads cannot spin beside the others.
Whole models: qopt and llama.cpp. ONNX Runtime and OpenVINO run the linears of the same model and nothing else,
no attention, norms or rotations: their figures are upper limits of what a whole model would reach with them."""
import argparse
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# name, kind of worker, its setting, what the table says about activations
ENGINES = {
    "qopt W4A16": ("qopt", "w4a16", "16-bit"),
    "qopt W4A8": ("qopt", "w4a8", "8-bit"),
    "qopt W4A16, QRT_ISA=avx2": ("qopt", "w4a16/avx2", "16-bit"),
    "qopt W4A8, QRT_ISA=avx2": ("qopt", "w4a8/avx2", "8-bit"),
    "qopt W8A16": ("qopt", "w8a16", "16-bit"),
    "qopt W8A8": ("qopt", "w8a8", "8-bit"),
    "llama.cpp Q4_0": ("llama", "q4_0", "8-bit"),
    "llama.cpp Q4_K_M": ("llama", "q4_k_m", "8-bit"),
    "llama.cpp Q8_0": ("llama", "q8_0", "8-bit"),
    "ONNX Runtime MatMulNBits, level 0 (linears only)": ("onnxruntime", "0", "f32"),
    "ONNX Runtime MatMulNBits, level 4 (linears only)": ("onnxruntime", "4", "8-bit"),
    "OpenVINO int4, dynamic quantization off (linears only)": ("openvino", "a16", "16-bit"),
    "OpenVINO int4, dynamic quantization (linears only)": ("openvino", "a8", "8-bit"),
}


class Engine:
    """A worker process that answers lines of JSON; stopped between answers."""

    def __init__(self, kind, setting, options):
        command = [sys.executable, os.path.join(HERE, "compare_workers.py"), kind, setting, json.dumps(options)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.about = self.answer()

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                reply = json.loads(line)
                if "error" in reply:
                    raise RuntimeError(reply["error"])
                os.kill(self.process.pid, signal.SIGSTOP)
                return reply
        raise RuntimeError("its process died: " + " ".join(self.process.stderr.read().strip().splitlines()[-1:])[-200:])

    def ask(self, what):
        os.kill(self.process.pid, signal.SIGCONT)
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return self.answer()["seconds"]

    def close(self):
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.kill()
        self.process.wait()


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            fields = dict(line.split(":", 1) for line in info.read().split("\n\n")[0].splitlines() if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        flags = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16") if flag in fields["flags"].split()]
        model = "%s family %s model %s (%s)" % (fields["model name"], fields["cpu family"], fields["model"], ", ".join(flags))
    except (OSError, KeyError, ValueError):
        pass
    return model


def reason(logs, kind, error):
    """Why a peer is not there: the last line of its installation, else the error."""
    module = {"llama": "llama_cpp"}.get(kind, kind)
    try:
        with open(os.path.join(logs, module + ".log")) as log:
            lines = [line.strip() for line in log if line.strip()]
        if lines:
            return lines[-1][:160]
    except OSError:
        pass
    return str(error)[:160]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder with bin/qopt and lib/libqrt.so")
    parser.add_argument("--logs", default="", help="folder with the logs of the installations")
    parser.add_argument("--peers", default="llama,onnxruntime,openvino")
    parser.add_argument("--only", default="", help="measure engines whose name contains one of these, separated by commas")
    parser.add_argument("--shape", default="qwen2.5-0.5b", help="qwen2.5-0.5b or qwen2.5-1.5b")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--steps", type=int, default=16, help="decode steps per round")
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--work-dir", default="", help="keeps the models of all engines; default: a temporary folder")
    parser.add_argument("--out", default="-", help="file of the table")
    options = parser.parse_args()
    if options.rounds < 1 or options.steps < 1 or options.context < 1 or options.prefill < 1:
        parser.error("--rounds, --steps, --context and --prefill must be at least 1")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work_dir or temporary
        os.makedirs(folder, exist_ok=True)
        shared = dict(vars(options), folder=folder)
        engines, missing, samples = {}, {}, {}
        for name, (kind, setting, _) in ENGINES.items():
            if not any(part in name for part in options.only.split(",")) or (kind != "qopt" and kind not in options.peers.split(",")):
                continue
            print("compare: prepare " + name, file=sys.stderr)
            try:
                engines[name] = Engine(kind, setting, shared)
                samples[name] = {"decode": [], "prefill": []}
            except RuntimeError as error:
                missing[name] = reason(options.logs, kind, error)
        try:
            for number in range(options.rounds + 1): # the first one warms up
                for name, engine in engines.items():
                    print("compare: round %d of %d, %s" % (number, options.rounds, name), file=sys.stderr)
                    for what in ("decode", "prefill"):
                        seconds = engine.ask({"do": what})
                        if number > 0:
                            samples[name][what].append(seconds)
        finally:
            for engine in engines.values():
                engine.close()
    lines = ["%s, %s; %d threads, shape %s, decode at context %d, prefill of %d tokens; medians of %d interleaved rounds "
             "[fastest, slowest]." % (datetime.date.today().isoformat(), machine(), options.threads, options.shape,
                                      options.context, options.prefill, options.rounds), "",
             "| engine | version | activations | weights, MiB | decode, tokens/s | prefill, tokens/s |",
             "|---|---|---|---|---|---|"]

    def rate(values, tokens):
        return "%.1f [%.1f, %.1f]" % (tokens / statistics.median(values), tokens / min(values), tokens / max(values))

    for name, (_, _, activations) in ENGINES.items():
        if name in engines:
            about = engines[name].about
            lines.append("| %s | %s | %s | %.0f | %s | %s |" % (
                name, about["version"], activations, about["bytes"] / 2**20, rate(samples[name]["decode"], 1),
                rate(samples[name]["prefill"], options.prefill)))
        elif name in missing:
            lines.append("| %s | not available: %s | | | | |" % (name, missing[name].replace("|", "/")))
    table = "\n".join(lines) + "\n"
    if options.out == "-":
        print(table)
    else:
        with open(options.out, "w") as out:
            out.write(table)


if __name__ == "__main__":
    main()
