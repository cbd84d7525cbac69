"""The tables of docs/reasoning-study.md, from the JSON of qrun eval; see reasoning_study.py."""
import json


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
    out = ["| control | accuracy % | change | thinking tokens | change % | markers | loops % | lost % | capped % | acted |",
           "|---|---|---|---|---|---|---|---|---|---|"]
    def row(name, arm, changes=("", "")):
        counts = ", ".join(f"{k} {v}" for k, v in arm["controls"].items() if v and k not in ("marker_hits", "marker_penalised"))
        return (f"| {name} | {interval(arm['accuracy'])} | {changes[0]} | {arm['tokens_mean']:.1f} | {changes[1]} | "
                f"{arm['markers_per_trace']:.2f} | {100 * arm['loop_rate']:.1f} | {100 * arm['lost_rate']:.1f} | "
                f"{100 * arm['cap_rate']:.1f} | {counts} |")
    reference = result["arms"]["reference"]
    out.append(row("*f32*", reference))
    out.append(row("none", result["arms"]["model"]))
    for arm in result["comparison"]:
        star = lambda key: "**" if significant(arm[key]) else ""
        changes = [star(key) + interval(arm[key], plus=True) + star(key)
                   for key in ("accuracy_change", "tokens_change")]
        out.append(row(arm["name"], arm, changes))
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


def fp16_table(results):
    """Arms with a second weight set: `results` holds (set, arms, the same arms run for their tokens per second alone)."""
    out = ["| control | accuracy % | change | of the loss recovered % | thinking tokens | FP16 tokens % | steps twice % | loops % | tok/s |",
           "|---|---|---|---|---|---|---|---|---|"]
    for which, result, speeds in results:
        reference, model = result["arms"]["reference"], result["arms"]["model"]
        loss = reference["accuracy"]["value"] - model["accuracy"]["value"]
        traces = result["tasks"] * result["seeds"]
        measured = {a["name"]: a for a in speeds["comparison"]}
        def row(name, arm, speed, change="", recovered=""):
            share = lambda key: 100 * arm["controls"][key] / (arm["tokens_mean"] * traces)
            speed = f"{speed['tokens_per_s']:.0f}" if speed else "–"
            return (f"| {name} | {interval(arm['accuracy'])} | {change} | {recovered} | {arm['tokens_mean']:.1f} | "
                    f"{share('fp16_tokens'):.1f} | {share('fp16_fallbacks'):.1f} | {100 * arm['loop_rate']:.1f} | "
                    f"{speed} |")
        if which == "all":
            out += [row("*f32*", reference, speeds["arms"]["reference"]), row("none", model, speeds["arms"]["model"])]
        for arm in result["comparison"]:
            change = arm["accuracy_change"]
            star = "**" if significant(change) else ""
            recovered = interval({k: change[k] / loss for k in ("value", "low", "high")}, 0) if loss > 0 else "–"
            out.append(row(("" if which == "all" else which + ": ") + arm["name"], arm, measured.get(arm["name"]),
                           star + interval(change, plus=True) + star, recovered))
    return out


def fp16_statement(where, result, speeds):
    """The cheapest arm that recovers half of what the quantized weights lost, in one sentence."""
    reference, model = result["arms"]["reference"], result["arms"]["model"]
    loss = reference["accuracy"]["value"] - model["accuracy"]["value"]
    if loss <= 0:
        return f"At {where} nothing is lost."
    speed = {a["name"]: a["tokens_per_s"] for a in speeds["comparison"]}
    enough = [a for a in result["comparison"] if a["accuracy_change"]["value"] >= loss / 2]
    if not enough:
        return f"At {where} no arm recovers half of the loss of {100 * loss:.1f} points."
    best = min(enough, key=lambda a: a["controls"]["fp16_tokens"] + a["controls"]["fp16_fallbacks"])
    return (f"At {where} {100 * loss:.1f} points are lost; the cheapest arm that recovers half of them is `{best['name']}`: "
            f"{100 * best['accuracy_change']['value'] / loss:.0f} %"
            + (f", at {speed[best['name']]:.0f} tokens/s in place of {speeds['arms']['model']['tokens_per_s']:.0f} (f32: "
               f"{speeds['arms']['reference']['tokens_per_s']:.0f})." if best["name"] in speed else "."))
