"""Kills qopt at random moments and resumes it: the file must be that of an undisturbed run.

usage: kill_resume.py QOPT WORK_DIR
"""
import os
import random
import shutil
import signal
import struct
import subprocess
import sys

qopt, work = sys.argv[1:]
shutil.rmtree(work, ignore_errors=True)
os.makedirs(work)
random.seed(7)
HIDDEN, INNER, VOCABULARY, LAYERS = 32, 64, 48, 12


def matrix(name, rows, columns):
    values = "], [".join(", ".join("%.3f" % random.gauss(0, 0.2) for _ in range(columns)) for _ in range(rows))
    return f'%{name} = qir.constant dense<[[{values}]]> : tensor<{rows}x{columns}xf32> loc("{name}")\n'


def linear(out, x, weight, rows, columns):
    return (f"%{out} = qir.linear %{x}, %{weight} : (tensor<?x{columns}xf32>, tensor<{rows}x{columns}xf32>)"
            f" -> tensor<?x{rows}xf32>\n")


text = ('func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> tensor<?x48xf32> attributes {qir.token_major} {\n'
        + matrix("table", VOCABULARY, HIDDEN)
        + "%x0 = qir.embedding %table, %ids : (tensor<48x32xf32>, tensor<?xi32>) -> tensor<?x32xf32>\n")
for i in range(LAYERS):
    text += matrix(f"up{i}", INNER, HIDDEN) + matrix(f"down{i}", HIDDEN, INNER)
    text += linear(f"a{i}", f"x{i}", f"up{i}", INNER, HIDDEN)
    text += f"%g{i} = qir.silu %a{i} : (tensor<?x64xf32>) -> tensor<?x64xf32>\n"
    text += linear(f"b{i}", f"g{i}", f"down{i}", HIDDEN, INNER)
    text += f"%x{i + 1} = qir.add %x{i}, %b{i} : (tensor<?x32xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>\n"
text += linear("y", f"x{LAYERS}", "table", VOCABULARY, HIDDEN) + "return %y : tensor<?x48xf32>\n}\n"
with open(f"{work}/model.mlir", "w") as file:
    file.write(text)
header = "{'descr': '<i4', 'fortran_order': False, 'shape': (128, 256), }".ljust(117) + "\n"
with open(f"{work}/ids.npy", "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack("<32768i", *(random.randrange(VOCABULARY) for _ in range(32768))))

command = [qopt, f"{work}/model.mlir", "--w2a16", "--group-size=32", "--calib", f"{work}/ids.npy", "--quiet"]
subprocess.run(command + ["-o", f"{work}/whole.qmod", "-t", "1"], check=True)
kills = 0
resumed = command + ["-o", f"{work}/resumed.qmod", "--work-dir", f"{work}/state", "--resume", "-t", "2"]
for attempt in range(200):
    process = subprocess.Popen(resumed)
    try:
        process.wait(timeout=random.uniform(0.02, 0.3) * (1 + attempt / 8))
        break
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
assert process.returncode == 0, process.returncode
assert kills >= 2, "the run ended before it could be killed"
whole, again = (open(f"{work}/{name}.qmod", "rb").read() for name in ("whole", "resumed"))
assert whole == again, "the resumed run gave another file"
leftovers = [name for name in os.listdir(work) if name.startswith("resumed") and name != "resumed.qmod"]
print(f"{kills} kills, same bytes")
