"""Traces of a model as calibration text: traces.py QRUN MODEL.qmod TASKS.jsonl PROMPTS.jsonl > traces.jsonl

Writes the prompts of the tasks to PROMPTS.jsonl, too.
"""
import json
import subprocess
import sys

qrun, model, tasks, prompts = sys.argv[1:]
with open(tasks) as file:
    lines = "".join(json.dumps({"messages": json.loads(line)["messages"]}) + "\n" for line in file)
with open(prompts, "w") as file:
    file.write(lines)
rendered = subprocess.run([qrun, "render", model], input=lines, text=True, check=True, stdout=subprocess.PIPE).stdout
made = subprocess.run([qrun, "complete", model, "--prompts", prompts, "--temp", "0.6", "--max-tokens", "200", "--json"],
                      text=True, check=True, stdout=subprocess.PIPE).stdout
for prompt, text in zip(rendered.splitlines(), json.loads(made)["text"]):
    print(json.dumps({"text": json.loads(prompt)["text"] + text}))
