"""qrun tokenize over the own fixtures and over bad input: tokenize_command.py QRUN FIXTURES."""
import json, os, subprocess, sys

qrun, fixtures = sys.argv[1:]


def run(path, text):
    return subprocess.run([qrun, "tokenize", path], input=text, capture_output=True, text=True, encoding="utf-8")


for name in ("byte_level", "sentencepiece"):
    folder = os.path.join(fixtures, name)
    lines = open(os.path.join(folder, "cases.jsonl"), encoding="utf-8").read()
    cases = [json.loads(line) for line in lines.splitlines()]
    for path in (folder, os.path.join(folder, "tokenizer.json")):
        result = run(path, lines)
        assert result.returncode == 0, result.stderr
        got = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(got) == len(cases) > 50
        for case, line in zip(cases, got):
            assert line == {"ids": case["ids"], "decoded": case["decoded"]}, case

folder = os.path.join(fixtures, "byte_level")
bad = run(folder, '{"text": "a"}\n{"txt": "a"}\n')
assert bad.returncode == 2 and "stdin, line 2" in bad.stderr, bad
assert json.loads(bad.stdout)["decoded"] == "a"
bad = run(folder, "{\n")
assert bad.returncode == 2 and "stdin, line 1" in bad.stderr, bad
bad = run(fixtures, "")
assert bad.returncode == 3 and "tokenizer.json" in bad.stderr, bad
