"""qrun render over the own fixtures and over bad input: render_command.py QRUN FIXTURES."""
import json, os, subprocess, sys

qrun, fixtures = sys.argv[1:]


def run(path, lines):
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return subprocess.run([qrun, "render", path], input=text, capture_output=True, text=True, encoding="utf-8",
                          env={**os.environ, "TZ": "UTC"})


# The template that asks for the date only where none is given.
folder = os.path.join(fixtures, "chat", "typescript_tools")
cases = json.load(open(os.path.join(folder, "cases.json"), encoding="utf-8"))
good = [case for case in cases if "rendered" in case]
lines = [{key: value for key, value in case.items() if key != "rendered"} for case in good]
for path in (folder, os.path.join(folder, "template.jinja")):
    result = run(path, lines)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == [case["rendered"] for case in good]

raised = run(folder, [lines[0], {"messages": [{"role": "alien", "content": "x"}]}])
assert raised.returncode == 2 and "stdin, line 2: unknown role alien at 0" in raised.stderr, raised
assert len(raised.stdout.splitlines()) == 1
bad = run(folder, [{"messages": [], "tool": []}])
assert bad.returncode == 2 and "'tool'" in bad.stderr, bad
bad = run(folder, ["{"])
assert bad.returncode == 2 and "stdin, line 1" in bad.stderr, bad
bad = run(fixtures, [])
assert bad.returncode == 3 and "no chat template" in bad.stderr, bad
