# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Puts every example of the dialect's descriptions into one module, with declarations for the names
that it uses.

usage: examples.py FOLDER_OF_TD_FILES
"""
import re
import sys
from pathlib import Path

SYMBOLS = ('module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 512>, '
           '#rlx.symbol<"PAST_SEQ", 0, 8191>, #rlx.symbol<"OUT", 0, 32>]} {')
SHAPES = {"embed": "2048x256xbf16", "norm": "256xf32", "g": "256xf32", "w": "512x256xf32"}


def declarations():
    for name, shape in SHAPES.items():
        yield (f'rlx.weight @{name} : tensor<{shape}> from [#rlx.source<file = "m", tensor = "t", '
               f'offset = 0, type = tensor<{shape}>>]')
    yield "rlx.kv_slot @kv0 heads 1 head_dim 64 type f16 window 64"


TENSOR = r"tensor<(?:[^<>]|<[^<>]*>)*>"
RESIDUAL = rf"residual\((%\w+) : ({TENSOR})\)"


def function(number, text):
    """Wraps an op; its operands come from an unregistered op."""
    kinds = dict(re.findall(RESIDUAL, text))
    op = re.sub(RESIDUAL, "", text).split(" = ", 1)[1]
    operands, types = op.split(" :", 1) if " :" in op else op.split("\n:", 1)
    tensors = re.findall(TENSOR, types.split("->")[0])
    for operand in re.findall(r"%\w+", operands):
        if operand in ("%cache", "%c0", "%c1"):
            kinds[operand] = "!rlx.kv_cache"
        elif operand == "%begin":
            kinds[operand] = "index"
        else:  # one type stands for all operands of an element-wise op
            kinds[operand] = tensors.pop(0) if len(tensors) > 1 else tensors[0]
    lines = [f'{name} = "test.operand"() : () -> {kind}' for name, kind in kinds.items()]
    return "\n".join([f"func.func @example{number}() {{", *lines, text, "return", "}"])


def main(folder):
    ops, tops = [], []
    for path in sorted(Path(folder).glob("*.td")):
        for block in re.findall(r"```mlir\n(.*?)```", path.read_text(), re.S):
            text = "\n".join(line.strip() for line in block.strip().split("\n"))
            if text.startswith("%"):
                ops.append(text)
            elif text.startswith("rlx."):
                tops.append(text)
    used = [t for t in tops if "variant" not in t and "@kv0" not in t]
    print("\n".join([SYMBOLS, *declarations(), *used, *map(function, range(len(ops)), ops), "}"]))


if __name__ == "__main__":
    main(sys.argv[1])
