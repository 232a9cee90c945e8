#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times model binaries and peers on the same GGUF files, alternately, and prints figures side by side.

  compare.py --rlx-compile build/release/bin/rlx-compile --peer 'llama.cpp=/path/llama-bench -fa on' \\
             --runs 5 -t 2 -p 512,128 -n 128 models/*.gguf

A peer is a program with llama-bench's flags and its `-o json`. Each run of each side is a process of its own; sides take
turns, so that a change of the machine's speed meets all of them. Medians, with the highest in brackets.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile


def rlx_rates(binary, args, tests):
    out = subprocess.run([binary, "bench", "-p", args.prompt, "-n", args.generate, "-t", str(args.threads),
                          "-r", "1", "--json"], check=True, capture_output=True, text=True).stdout
    return {entry["test"]: entry["tokens_per_second"]["mean"] for entry in json.loads(out)["tests"]
            if entry["test"] in tests}


def peer_rates(command, gguf, args, tests):
    out = subprocess.run(shlex.split(command) + ["-m", gguf, "-p", args.prompt, "-n", args.generate,
                                                 "-t", str(args.threads), "-r", "1", "-o", "json"],
                         check=True, capture_output=True, text=True).stdout
    rates = {}
    for entry in json.loads(out):
        name = f"tg{entry['n_gen']}" if entry["n_gen"] else f"pp{entry['n_prompt']}"
        if name in tests:
            rates[name] = entry["avg_ts"]
    return rates


def tests_of(args):
    prompts = [f"pp{n}" for n in args.prompt.split(",") if n != "0"]
    return prompts + [f"tg{n}" for n in args.generate.split(",") if n != "0"]


def compare(gguf, binary, peers, args):
    tests = tests_of(args)
    seen = {side: {test: [] for test in tests} for side in ["rlx", *peers]}
    for _ in range(args.runs):
        for side, samples in seen.items():
            rates = (rlx_rates(binary, args, tests) if side == "rlx"
                     else peer_rates(peers[side], gguf, args, tests))
            for test, rate in rates.items():
                samples[test].append(rate)
    for test in tests:
        row = [os.path.basename(gguf), test]
        ours = statistics.median(seen["rlx"][test])
        for side in seen:
            samples = seen[side][test]
            row.append(f"{statistics.median(samples):.1f} ({max(samples):.1f})" if samples else "–")
        for side in peers:
            samples = seen[side][test]
            row.append(f"{ours / statistics.median(samples):.2f}" if samples else "–")
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", nargs="+")
    parser.add_argument("--rlx-compile", required=True)
    parser.add_argument("--options", default="", help="more flags for rlx-compile")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count())
    parser.add_argument("-p", "--prompt", default="512,128")
    parser.add_argument("-n", "--generate", default="128")
    args = parser.parse_args()
    peers = dict(peer.split("=", 1) for peer in args.peer)
    print("| model | test | rlx | " + "".join(f"{p} | " for p in peers)
          + "".join(f"rlx / {p} | " for p in peers))
    print("|" + "---|" * (3 + 2 * len(peers)))
    for gguf in args.gguf:
        with tempfile.TemporaryDirectory() as work:
            binary = os.path.join(work, "model")
            subprocess.run([args.rlx_compile, gguf, "-o", binary, *shlex.split(args.options)],
                           check=True, stdout=sys.stderr)
            compare(gguf, binary, peers, args)


if __name__ == "__main__":
    main()
