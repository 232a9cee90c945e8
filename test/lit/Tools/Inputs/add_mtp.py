# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies a safetensors file and adds two multi-token-prediction tensors.

usage: add_mtp.py IN OUT
"""
import json
import struct
import sys

with open(sys.argv[1], "rb") as file:
    size = struct.unpack("<Q", file.read(8))[0]
    header = json.loads(file.read(size))
    data = file.read()
for name, shape in (("mtp.layers.0.weight", [2, 8]), ("mtp.norm.weight", [8])):
    count = 4
    for dim in shape:
        count *= dim
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + count]}
    data += bytes(range(count))
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
