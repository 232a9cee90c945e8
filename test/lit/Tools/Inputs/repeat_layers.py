#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Doubles the layers of a Hugging Face folder: layer n + i gets the tensors of layer i.

usage: repeat_layers.py FOLDER
"""
import json
import re
import sys
from pathlib import Path

folder = Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
layers = config["num_hidden_layers"]
config["num_hidden_layers"] = 2 * layers
if "layer_types" in config:
    config["layer_types"] *= 2
(folder / "config.json").write_text(json.dumps(config))

raw = (folder / "model.safetensors").read_bytes()
size = int.from_bytes(raw[:8], "little")
header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
added = {}
for name, tensor in header.items():
    found = re.match(r"(.*\blayers\.)(\d+)(\..*)", name)
    if found:
        begin, end = tensor["data_offsets"]
        copy = dict(tensor, data_offsets=[len(data), len(data) + end - begin])
        added[f"{found[1]}{int(found[2]) + layers}{found[3]}"] = copy
        data += data[begin:end]
header.update(added)
text = json.dumps(header).encode()
(folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
