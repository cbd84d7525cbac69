#!/usr/bin/env python3
"""How many marker paragraphs of word problems stand behind a false equation, and what an oracle could save.

  qrun complete M.qmod --prompts problems.jsonl --json ... | marker_slips.py

A paragraph that begins with a marker counts as useful where an equation of the one before is false.
"""
import json
import re
import sys

MARKER = re.compile(r"(wait|hmm|but|however|alternatively|actually|maybe)\b", re.IGNORECASE)
EQUATION = re.compile(r"(\d+) ([-+*]) (\d+) = (\d+)")
RESULT = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}


def false_equations(text):
    return [m for m in EQUATION.findall(text) if RESULT[m[1]](int(m[0]), int(m[2])) != int(m[3])]


def main():
    markers = useful = corrected = characters = wasted = 0
    traces = json.load(sys.stdin)["reasoning"]
    for text in traces:
        steps = [s.strip() for s in text.split("\n\n") if s.strip()]
        characters += sum(map(len, steps))
        for before, step in zip(steps, steps[1:]):
            if not MARKER.match(step):
                continue
            markers += 1
            if false_equations(before):
                useful += 1
                corrected += not false_equations(step)
            else:
                wasted += len(step)
    print(f"{len(traces)} traces, {markers} marker paragraphs, {useful} behind a false equation, {corrected} of them "
          f"without one; the others are {100 * wasted / max(1, characters):.1f} % of the thinking's characters")


if __name__ == "__main__":
    main()
