"""Every member of the JSON of `qrun eval --tasks` that scripts rely on, and the page made from it."""
import html.parser
import json
import sys


def interval(r):
    assert set(r) == {"value", "low", "high", "n"}, r
    assert r["n"] > 0 and (r["low"] is None or r["low"] <= r["value"] <= r["high"]), r


def arm(a):
    interval(a["accuracy"])
    for key in ("tokens_mean", "markers_per_trace", "loop_rate", "lost_rate", "cap_rate", "think_closed_rate",
                "steps_mean", "step_repetition", "time_to_first_answer", "tokens_per_s"):
        assert a[key] is None or a[key] >= 0, key
    assert sum(a["finish_reasons"].values()) == 24, a["finish_reasons"]
    for key in ("marker_hits", "loop_events", "budget_forced", "rescued", "fp16_tokens"):
        assert a["controls"][key] >= 0, key


with open(sys.argv[1]) as file:
    result = json.load(file)
assert set(result["arms"]) == {"reference", "model"}
for a in result["arms"].values():
    arm(a)
for key in ("ctir_a", "ctir_b", "ctir_c"):
    interval(result[key])
assert abs(result["effective_speed"] * result["ctir_a"]["value"] - result["arms"]["model"]["tokens_per_s"]) < 1e-6
assert [c["name"] for c in result["comparison"]] == ["dry", "mild one"]
for c in result["comparison"]:
    arm(c)
    for key in ("tokens_change", "accuracy_change", "markers_change"):
        interval(c[key])
assert result["comparison"][1]["controls"]["marker_penalised"] > 0
assert result["teacher_forced"]["tokens"] > 500 and result["teacher_forced"]["text"] == "traces of the reference"
assert result["gate"]["passed"] is True


class Page(html.parser.HTMLParser):
    """Tags are balanced; the data block is what it says."""
    void = {"meta", "br", "link", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.data, self.inside = [], "", False

    def handle_starttag(self, tag, attributes):
        if tag not in self.void:
            self.open.append(tag)
        self.inside = tag == "script" and ("id", "data") in attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        self.inside = False

    def handle_data(self, data):
        self.data += data if self.inside else ""


page = Page()
with open(sys.argv[2]) as file:
    page.feed(file.read())
page.close()
assert page.open == [], page.open
data = json.loads(page.data)
assert data["results"] == {k: v for k, v in result.items()}
assert len(data["tasks"]) == 12 and len(data["positions"]) == min(5000, result["teacher_forced"]["tokens"])
assert len(data["layers"]["entries"]) >= 42
