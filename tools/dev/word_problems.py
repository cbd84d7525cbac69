#!/usr/bin/env python3
"""Problems of the kind that examples/reasoner was trained on, as tasks of `qrun eval`.

  word_problems.py COUNT SEED [STEPS] > tasks.jsonl

STEPS: how many things happen, 2 to 4 at random without it; the model saw 2 to 4, more are harder.
"""
import json
import random
import sys

NAMES = "Ana Eva Leo Max Mia Sam Tom Zoe".split()
THINGS = "apples books cards coins marbles pens shells stamps".split()
CONTAINERS = "bags boxes packs trays".split()


def problem(draw, steps):
    name, things = draw.choice(NAMES), draw.choice(THINGS)
    count = draw.randint(10, 99)
    text = f"{name} has {count} {things}."
    while steps:
        kind = draw.choice(["buy", "find", "give", "double", "half"])
        if kind == "buy":
            boxes, each = draw.randint(4, 20), draw.randint(4, 19)
            new, what = count + boxes * each, f"{name} buys {boxes} {draw.choice(CONTAINERS)} of {each} {things}"
        elif kind == "find":
            more = draw.randint(12, 98)
            new, what = count + more, f"{name} finds {more} more {things}"
        elif kind == "give":
            fewer = draw.randint(5, 98)
            new, what = count - fewer, f"{name} gives away {fewer} {things}"
        elif kind == "double":
            new, what = 2 * count, f"the number of {things} doubles"
        else:
            new, what = count / 2, f"half of the {things} are lost"
        if new != int(new) or not 1 <= new < 1000:
            continue
        count, steps = int(new), steps - 1
        text += f" Then {what}."
    return f"{text} How many {things} does {name} have now?", str(count)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    draw = random.Random(seed)
    for i in range(count):
        steps = int(sys.argv[3]) if len(sys.argv) > 3 else draw.randint(2, 4)
        question, answer = problem(draw, steps)
        print(json.dumps({"id": f"wp-{seed}-{i + 1:04}", "answer": answer,
                          "messages": [{"role": "user", "content": question}]}))


if __name__ == "__main__":
    main()
