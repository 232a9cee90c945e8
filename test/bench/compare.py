#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times model binaries and peers on the same GGUF files, alternately, and prints figures side by side in Markdown.

  compare.py --rlx-compile build/release/bin/rlx-compile \\
             --peer 'ik_llama.cpp=/path/ik/llama-bench -fa 1 -rtr 1' --peer 'llama.cpp=/path/llama-bench -fa on' \\
             --start 'ik_llama.cpp=/path/ik/llama-cli --temp 0 -c 512 --no-warmup' \\
             --start 'llama.cpp=/path/llama-completion -no-cnv --temp 0 -c 512 --no-warmup' --runs 5 -t 2 models/*.gguf

A peer is a program with llama-bench's flags and its `-o json`; --start names its program that completes a prompt
(`-m FILE -p TEXT -n 1 -t N`). Each run of each side is a process of its own; sides take turns, so that a change of
the machine's speed meets all of them. Rates are tokens per second, medians with the highest in brackets; for times and memory
the lowest is in brackets. A ratio above 1 says that RLX is the faster or smaller one; it compares with the peer's median. Memory is
the largest resident set of the process that measured the prompts, mapped weights included.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time


class Process:
    """A finished process: its output, wall time in seconds and peak resident memory in MiB."""

    def __init__(self, command):
        begin = time.monotonic()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - begin
            self.mebibytes = usage.ru_maxrss / 1024
            out.seek(0)
            err.seek(0)
            self.output = out.read()
            if child.returncode != 0:
                sys.exit(f"compare.py: {shlex.join(command)}: exit status {child.returncode}\n{err.read()[-2000:]}")


class Rlx:
    name = "rlx"

    def __init__(self, binary, args):
        self.binary, self.args = binary, args

    def bench(self, prompts, generate, depth=0):
        run = Process([self.binary, "bench", "-p", prompts, "-n", str(generate), "-d", str(depth),
                       "-t", str(self.args.threads), "-r", "1", "--json"])
        rates = {test["test"].split(" ")[0]: test["tokens_per_second"]["median"]
                 for test in json.loads(run.output)["tests"]}
        return rates, run.mebibytes

    def start(self):
        return Process([self.binary, self.args.text, "-n", "1", "--raw", "--temperature", "0",
                        "-t", str(self.args.threads)]).seconds


class Peer:
    def __init__(self, name, command, start, gguf, args):
        self.name, self.command, self.start_command = name, shlex.split(command), start
        self.gguf, self.args = gguf, args

    def run(self, *flags):
        return Process([*self.command, "-m", self.gguf, "-t", str(self.args.threads), "-r", "1", "-o", "json", *flags])

    def bench(self, prompts, generate, depth=0):
        if not depth:
            run = self.run("-p", prompts, "-n", str(generate))
        elif "--n-depth" in self.help():
            run = self.run("-p", "0", "-n", str(generate), "-d", str(depth))
        else:  # older: generation behind a prompt that is not timed
            run = self.run("-p", "0", "-n", "0", "-gp", f"{depth},{generate}")
        return {f"tg{entry['n_gen']}" if entry["n_gen"] else f"pp{entry['n_prompt']}": entry["avg_ts"]
                for entry in json.loads(run.output)}, run.mebibytes

    def help(self):
        run = subprocess.run([*self.command, "--help"], capture_output=True, text=True)
        return run.stdout + run.stderr

    def start(self):
        if not self.start_command:
            return None
        return Process([*shlex.split(self.start_command), "-m", self.gguf, "-p", self.args.text, "-n", "1",
                        "-t", str(self.args.threads)]).seconds


def one_round(side, args, add):
    """Runs everything once; add(row, value) keeps the figures."""
    rates, memory = side.bench(args.prompt, args.generate)
    for test, rate in rates.items():
        add(test, rate)
    if args.depth:
        for rate in side.bench("0", args.depth_generate, args.depth)[0].values():
            add(f"tg{args.depth_generate} at {args.depth}", rate)
    seconds = side.start()
    if seconds is not None:
        add("start to first token, s", seconds)
    add("peak memory, MiB", memory)


def lower_is_better(row):
    return row.endswith((", s", ", MiB"))


def cell(row, samples):
    if not samples:
        return "–"
    digits = 3 if row.endswith(" s") else 0 if row.endswith("MiB") else 1
    best = min(samples) if lower_is_better(row) else max(samples)
    return f"{statistics.median(samples):.{digits}f} ({best:.{digits}f})"


def ratio(row, ours, theirs):
    if not ours or not theirs:
        return "–"
    value = statistics.median(ours) / statistics.median(theirs)
    return f"{1 / value if lower_is_better(row) else value:.2f}"


def compare(gguf, sides, args):
    seen = {}
    for _ in range(args.runs):
        for side in sides:
            one_round(side, args,
                      lambda row, value, name=side.name: seen.setdefault(row, {}).setdefault(name, []).append(value))
    ours = sides[0].name
    for row, samples in seen.items():
        cells = [os.path.basename(gguf), row]
        cells += [cell(row, samples.get(side.name)) for side in sides]
        cells += [ratio(row, samples.get(ours), samples.get(side.name)) for side in sides[1:]]
        print("| " + " | ".join(cells) + " |", flush=True)


def named(pairs, flag):
    for pair in pairs:
        if "=" not in pair:
            sys.exit(f"compare.py: {flag}: expected NAME=COMMAND but got '{pair}'")
    return dict(pair.split("=", 1) for pair in pairs)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", nargs="+")
    parser.add_argument("--rlx-compile", required=True)
    parser.add_argument("--options", default="", help="more flags for rlx-compile")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--start", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count())
    parser.add_argument("-p", "--prompt", default="512,128,16")
    parser.add_argument("-n", "--generate", type=int, default=128, help="tokens from an empty cache")
    parser.add_argument("--depth", type=int, default=4096, help="cached tokens of another test; 0 leaves it out")
    parser.add_argument("--depth-generate", type=int, default=32)
    parser.add_argument("--text", default="The quick brown fox jumps over the lazy dog and away.",
                        help="the prompt of the start to the first token; 16 tokens for make_model.py's vocabulary by default")
    return parser.parse_args()


def main():
    args = parse()
    peers, starts = named(args.peer, "--peer"), named(args.start, "--start")
    for name in starts.keys() - peers.keys():
        sys.exit(f"compare.py: --start: '{name}' is no --peer")
    print("| model | test | rlx | " + "".join(f"{p} | " for p in peers) + "".join(f"rlx / {p} | " for p in peers))
    print("|" + "---|" * (3 + 2 * len(peers)))
    for gguf in args.gguf:
        with tempfile.TemporaryDirectory() as work:
            binary = os.path.join(work, "model")
            Process([args.rlx_compile, gguf, "-o", binary, *shlex.split(args.options)])
            sides = [Rlx(binary, args)]
            sides += [Peer(name, command, starts.get(name), gguf, args) for name, command in peers.items()]
            compare(gguf, sides, args)


if __name__ == "__main__":
    main()
