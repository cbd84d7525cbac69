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

from make_model import VOCABULARY, make_model

qopt, work = sys.argv[1:]
shutil.rmtree(work, ignore_errors=True)
os.makedirs(work)
random.seed(8)
text = make_model(32, 64, 12)
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
print(f"{kills} kills, same bytes")
