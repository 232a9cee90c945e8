# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies a checkpoint and adds tensors of a multi-token-prediction head.

usage: add_mtp.py (FOLDER OUT_FOLDER | FILE.gguf OUT.gguf)
"""
import json
import shutil
import struct
import sys
from pathlib import Path

VALUES = struct.pack("<4f", 1, 2, 3, 4)


def add_to_safetensors(source, target):
    data = source.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    header["mtp.proj.weight"] = {"dtype": "F32", "shape": [2, 2],
                                 "data_offsets": [len(body), len(body) + len(VALUES)]}
    text = json.dumps(header).encode()
    target.write_bytes(struct.pack("<Q", len(text)) + text + body + VALUES)


def skip_value(data, at, kind):
    """The position after a GGUF value of type `kind`."""
    if kind == 8:
        return at + 8 + struct.unpack_from("<Q", data, at)[0]
    if kind == 9:
        element, count = struct.unpack_from("<IQ", data, at)
        at += 12
        for _ in range(count):
            at = skip_value(data, at, element)
        return at
    return at + [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][kind]


def add_to_gguf(source, target):
    data = source.read_bytes()
    tensors, keys = struct.unpack_from("<QQ", data, 8)
    at = 24
    for _ in range(keys):
        at += 8 + struct.unpack_from("<Q", data, at)[0]
        at = skip_value(data, at + 4, struct.unpack_from("<I", data, at)[0])
    for _ in range(tensors):
        at += 8 + struct.unpack_from("<Q", data, at)[0]
        at += 4 + 8 * struct.unpack_from("<I", data, at)[0] + 12
    body = data[(at + 31) // 32 * 32:]
    body += bytes(-len(body) % 32)
    name = b"nextn.proj.weight"
    header = data[:8] + struct.pack("<Q", tensors + 1) + data[16:at]
    header += struct.pack("<Q", len(name)) + name + struct.pack("<IQQIQ", 2, 2, 2, 0, len(body))
    target.write_bytes(header + bytes(-len(header) % 32) + body + VALUES)


def main():
    source, target = map(Path, sys.argv[1:])
    if source.is_dir():
        shutil.copytree(source, target)
        weights = target / "model.safetensors"
        weights.chmod(0o644)
        add_to_safetensors(source / "model.safetensors", weights)
    else:
        add_to_gguf(source, target)


main()
