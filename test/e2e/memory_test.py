#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak resident memory of compiling and of running: the packed output + 512 MiB, and mapped weights
+ KV cache + 64 MiB.

A program of its own, since a process starts with the peak of the one that forked it. The model has
few layers, but these have the real sizes, and its weights exceed what is allowed beside them: a
copy of them would be noticed. The prompt is longer than a step, so that the workspace is in use.
usage: memory_test.py RLX_COMPILE MAKE_MODEL
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

COMPILE, MAKE_MODEL = sys.argv[1:3]
MIB = 1 << 20
# Memory that the compiler needs for itself; measured: 75 to 105 MiB.
COMPILERS_OWN = 512 * MIB
RUNTIMES_OWN = 64 * MIB


def peak(*command):
    """Runs a command and returns its peak resident memory in bytes."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return usage.ru_maxrss * 1024


class MemoryTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def check(self, kind, dtype, *options):
        checkpoint = os.path.join(self.folder, "checkpoint.gguf" if kind == "gguf" else "checkpoint")
        model = os.path.join(self.folder, "model")
        subprocess.run([sys.executable, MAKE_MODEL, "gemma2-2b", "--layers", "2", "--vocab", "569",
                        "--format", kind, "--type", dtype, "-o", checkpoint], check=True)
        compiling = peak(COMPILE, checkpoint, "-o", model, *options)
        memory = json.loads(subprocess.run([model, "info", "--json"], check=True,
                                           capture_output=True).stdout)["memory"]
        ids = ",".join(str(5 + 37 * i % 500) for i in range(700))
        running = peak(model, "run", "--ids", ids, "-n", "8", "--print-ids")
        weights, cache = memory["weights"], memory["kv_cache"]
        print(f"{kind} {dtype} {' '.join(options)}: compiling {compiling / MIB:.0f} MiB, "
              f"output {os.path.getsize(model) / MIB:.0f} MiB, running {running / MIB:.0f} MiB, "
              f"weights {weights / MIB:.0f} MiB, KV cache {cache / MIB:.0f} MiB")
        # Else the limits below would allow a copy of the weights.
        self.assertGreater(weights, RUNTIMES_OWN + cache)
        self.assertLessEqual(compiling, os.path.getsize(model) + COMPILERS_OWN)
        self.assertLessEqual(running, weights + cache + RUNTIMES_OWN)

    def test_blocks_as_stored(self):
        self.check("gguf", "q8_0")

    def test_quantised_folder(self):
        self.check("hf", "bf16", "--quantize=q8_0")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
