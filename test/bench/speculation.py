#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Replays the sample documents by model binaries and prints what speculation saves on each.

  speculation.py ./gemma3-1b --runs 5 [--options "--draft ./gemma3-270m"]

Random weights write no text, so each document is replayed: what the model samples is replaced by the
document's next token, everything else is computed as in generation.
"""
import argparse
import glob
import json
import os
import shlex
import statistics
import subprocess

DOCUMENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "documents")


def replay(binary, name, args):
    document = os.path.join(DOCUMENTS, name)
    command = [binary, "replay", document + ".reply.txt", "--prompt", document + ".prompt.txt",
               "-r", str(args.runs), "-t", str(args.threads), "--json", *shlex.split(args.options)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def row(binary, name, result):
    plain = statistics.median(result["plain_tokens_per_second"])
    speculative = statistics.median(result["speculative_tokens_per_second"])
    right = result["accepted"] / result["drafted"] if result["drafted"] else 0
    return [os.path.basename(binary), name, str(result["reply"]), f"{plain:.1f}", f"{speculative:.1f}",
            f"{result['ratio']:.2f}", f"{100 * right:.0f} % of {result['drafted']}", str(result["steps"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count())
    parser.add_argument("--options", default="", help="more flags for the replay command")
    args = parser.parse_args()
    names = sorted(os.path.basename(path)[:-len(".reply.txt")]
                   for path in glob.glob(os.path.join(DOCUMENTS, "*.reply.txt")))
    columns = ["model", "document", "tokens", "plain, tokens/s", "speculative, tokens/s",
               "ratio (median of pairs)", "drafts right", "steps"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for binary in args.binary:
        for name in names:
            print("| " + " | ".join(row(binary, name, replay(binary, name, args))) + " |", flush=True)


if __name__ == "__main__":
    main()
