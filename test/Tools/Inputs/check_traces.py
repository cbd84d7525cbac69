# check_traces.py messages QRUN MODEL PROMPTS.jsonl REPORT.json: the report counts the tokens of the rendered prompts.
# check_traces.py traces TRACES.jsonl COMPLETE.json: every trace is its prompt and what qrun complete wrote behind it.
import json
import subprocess
import sys


def lines(command, objects):
    text = "".join(json.dumps(o) + "\n" for o in objects)
    out = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


if sys.argv[1] == "messages":
    qrun, model = sys.argv[2:4]
    prompts = [json.loads(line) for line in open(sys.argv[4])]
    texts = lines([qrun, "render", model], [{"messages": p["messages"], "add_generation_prompt": True} for p in prompts])
    ids = lines([qrun, "tokenize", model], [{"text": t["text"]} for t in texts])
    expected = sum(len(i["ids"]) for i in ids)
    assert expected > 0 and json.load(open(sys.argv[5]))["calibration_tokens"] == expected, expected
else:
    traces = [json.loads(line)["ids"] for line in open(sys.argv[2])]
    written = json.load(open(sys.argv[3]))["ids"]
    assert len(traces) == len(written) > 0
    for trace, ids in zip(traces, written):
        assert len(trace) > len(ids) > 0 and trace[-len(ids):] == ids, (trace, ids)
