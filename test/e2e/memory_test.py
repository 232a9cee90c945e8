#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak resident memory of a running model binary: mapped weights + KV cache + 64 MiB at most.

A program of its own, since a process starts with the peak of the one that forked it.
usage: memory_test.py MODEL...
"""
import json
import os
import subprocess
import sys


def main():
    failed = 0
    for model in sys.argv[1:]:
        info = json.loads(subprocess.run([model, "info", "--json"], check=True,
                                         capture_output=True).stdout)
        memory = info["memory"]
        child = subprocess.Popen([model, "run", "--ids", "2,5,6,7", "-n", "64", "--print-ids"],
                                 stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        peak, allowed = usage.ru_maxrss * 1024, memory["weights"] + memory["kv_cache"] + (64 << 20)
        print(f"{os.path.basename(model)}: peak {peak / 2**20:.1f} MiB, "
              f"weights {memory['weights'] / 2**20:.1f} MiB, "
              f"KV cache {memory['kv_cache'] / 2**20:.1f} MiB")
        failed += status != 0 or peak > allowed
    return 1 if failed or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
