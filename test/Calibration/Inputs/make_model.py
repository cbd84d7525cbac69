"""Prints a random token-major model: an embedding, residual blocks of two linears, a tied head.

usage: make_model.py HIDDEN INNER LAYERS [SCHEME]        SCHEME as in #qir.scheme<...>, put on the linears
"""
import random
import sys

VOCABULARY = 24


def make_model(hidden, inner, layers, scheme=""):
    random.seed(7)
    attribute = f" {{scheme = #qir.scheme<{scheme}>}}" if scheme else ""

    def tensor(width):
        return f"tensor<?x{width}xf32>"

    def matrix(name, rows, columns):
        values = "], [".join(", ".join("%.3f" % random.gauss(0, 0.2) for _ in range(columns)) for _ in range(rows))
        return f'%{name} = qir.constant dense<[[{values}]]> : tensor<{rows}x{columns}xf32> loc("{name}")\n'

    def linear(out, x, weight, rows, columns, attributes):
        return (f"%{out} = qir.linear %{x}, %{weight}{attributes} : ({tensor(columns)}, tensor<{rows}x{columns}xf32>)"
                f" -> {tensor(rows)}\n")

    text = (f'func.func @main(%ids: tensor<?xi32> {{qir.name = "ids"}}) -> {tensor(VOCABULARY)} '
            "attributes {qir.token_major} {\n" + matrix("table", VOCABULARY, hidden)
            + f"%x0 = qir.embedding %table, %ids : (tensor<{VOCABULARY}x{hidden}xf32>, tensor<?xi32>) -> {tensor(hidden)}\n")
    for i in range(layers):
        text += matrix(f"up{i}", inner, hidden) + matrix(f"down{i}", hidden, inner)
        text += linear(f"a{i}", f"x{i}", f"up{i}", inner, hidden, attribute)
        text += f"%g{i} = qir.silu %a{i} : ({tensor(inner)}) -> {tensor(inner)}\n"
        text += linear(f"b{i}", f"g{i}", f"down{i}", hidden, inner, attribute)
        text += f"%x{i + 1} = qir.add %x{i}, %b{i} : ({tensor(hidden)}, {tensor(hidden)}) -> {tensor(hidden)}\n"
    return text + linear("y", f"x{layers}", "table", VOCABULARY, hidden, ' {role = "head"}') + f"return %y : {tensor(VOCABULARY)}\n}}\n"


if __name__ == "__main__":
    print(make_model(*(int(argument) for argument in sys.argv[1:4]), *sys.argv[4:]))
