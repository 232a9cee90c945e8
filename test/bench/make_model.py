#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Gemma checkpoint with random weights and a working vocabulary, for benchmarks and tests.

  make_model.py gemma3-1b --format hf --type bf16 -o models/gemma3-1b
  make_model.py gemma2-2b --format gguf --type q4_0 -o models/gemma2-2b-q4_0.gguf

Needs numpy (Debian: python3-numpy). The same shape and seed give the same weights in both formats.
"""
import argparse
import dataclasses
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import formats
import gguf_writer
import hf_writer
from shapes import SHAPES


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(SHAPES))
    parser.add_argument("--format", choices=["hf", "gguf"], required=True)
    parser.add_argument("--type", choices=sorted(formats.FORMATS), default="bf16")
    parser.add_argument("-o", "--output", required=True, help="folder (hf) or file (gguf)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, help="fewer layers than the real model")
    parser.add_argument("--vocab", type=int, help="a smaller vocabulary (at least 569 pieces)")
    parser.add_argument("--shard-bytes", type=int, default=1 << 31,
                        help="hf: largest size of one safetensors file")
    args = parser.parse_args()
    changes = {key: value for key, value in (("layers", args.layers), ("vocab", args.vocab)) if value}
    shape = dataclasses.replace(SHAPES[args.model], **changes)
    if args.format == "gguf":
        gguf_writer.write(args.output, args.model, shape, args.type, args.seed)
    elif args.type not in hf_writer.DTYPES:
        parser.error(f"--type {args.type} exists only in GGUF")
    else:
        hf_writer.write(args.output, shape, args.type, args.seed, args.shard_bytes)


if __name__ == "__main__":
    main()
