# make_prompts.py N: N word problems as conversations, a line each.
import json
import sys

for i in range(int(sys.argv[1])):
    question = f"Tom has {20 + 7 * i} apples. Then Tom buys {2 + i} bags of {5 + i} apples. How many apples does Tom have now?"
    print(json.dumps({"messages": [{"role": "user", "content": question}]}))
