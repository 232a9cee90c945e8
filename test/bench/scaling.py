#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints how prompt processing of model binaries scales from one thread to several, beside how the processor's peak does.

  scaling.py ./gemma3-1b ./gemma3-270m -t 16 --runs 5

Runs with one thread and with all of them take turns. Each measures the model's own peak loop in the same process (`bench
--roofline`): the one of the instruction by which most of the prompt's products are computed. Figures are medians; the last
column is the scaling of the tokens per second divided by that of the peak.
"""
import argparse
import json
import os
import statistics
import subprocess


def measure(binary, threads, args):
    command = [binary, "bench", "-p", str(args.prompt), "-n", "0", "-r", "1", "-t", str(threads), "--roofline", "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    test = found["tests"][0]
    return test["tokens_per_second"]["median"], found["limits"]["peaks"][0]["operations_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="+")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count())
    parser.add_argument("-p", "--prompt", type=int, default=512)
    args = parser.parse_args()
    print(f"| model | tokens/s, 1 thread | {args.threads} threads | scaling | peak's scaling | ratio |")
    print("|---|---|---|---|---|---|")
    for binary in args.binary:
        runs = {1: [], args.threads: []}
        for _ in range(args.runs):
            for threads, results in runs.items():
                results.append(measure(binary, threads, args))
        (one, one_peak), (many, many_peak) = (
            [statistics.median(values) for values in zip(*results)] for results in runs.values())
        scaling, peak = many / one, many_peak / one_peak
        print(f"| {os.path.basename(binary)} | {one:.1f} | {many:.1f} | {scaling:.2f} | {peak:.2f} | {scaling / peak:.2f} |")


if __name__ == "__main__":
    main()
