# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the mtp.bin of a model is a safetensors file with what add_mtp.py added.

usage: check_mtp.py MODEL
"""
import json
import struct
import sys
import zipfile

data = zipfile.ZipFile(sys.argv[1]).read("mtp.bin")
size = struct.unpack_from("<Q", data)[0]
entry = json.loads(data[8:8 + size])["mtp.proj.weight"]
begin, end = entry["data_offsets"]
assert (entry["dtype"], entry["shape"]) == ("F32", [2, 2]), entry
assert struct.unpack("<4f", data[8 + size:][begin:end]) == (1, 2, 3, 4), data
