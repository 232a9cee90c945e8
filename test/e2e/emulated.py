# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of model binaries on emulated CPUs share: compiling, running, goldens.

Programs that use it are called: TEST.py RLX_COMPILE QEMU TEST_DATA
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy

SKIPPED = 77
EXACT = ("--dtype=f32", "--kv-type=f32")


def main():
    """Runs the tests, or says why it cannot."""
    if not shutil.which(sys.argv[2]):
        print(f"skipped: {sys.argv[2]} is not installed (Debian's package qemu-user)")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])


class EmulatedTest(unittest.TestCase):
    """Binaries are compiled once for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.compiler, cls.emulator, cls.data = sys.argv[1:4]
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)

    def compile(self, model, target, *options):
        binary = os.path.join(self.folder, "-".join((model, target or "native") + options))
        if not os.path.exists(binary):
            folder = os.path.join("goldens", "gguf") if model.endswith(".gguf") else "models"
            command = [self.compiler, os.path.join(self.data, folder, model), "-o", binary,
                       *options] + ([f"--target-cpu={target}"] if target else [])
            result = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)
        return binary

    def execute(self, cpu, binary, *args):
        """Runs a binary on an emulated CPU, or on this one if `cpu` is None."""
        prefix = [self.emulator, "-cpu", cpu] if cpu else []
        return subprocess.run(prefix + [binary, *args], capture_output=True, text=True)

    def output(self, cpu, binary, *args):
        result = self.execute(cpu, binary, *args)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def logits(self, cpu, binary, ids, threads=1):
        file = os.path.join(self.folder, "logits.npy")
        self.output(cpu, binary, "logits", "-t", str(threads), "-o", file,
                    "--ids", ",".join(str(token) for token in ids))
        return numpy.load(file)

    def golden(self, model, tokens):
        """The first tokens of the golden sequence that has enough of them, and their logits."""
        arrays = numpy.load(os.path.join(self.data, "goldens", "hf", model + ".npz"))
        name = min((name for name in arrays
                    if name.startswith("ids") and len(arrays[name]) >= tokens),
                   key=lambda name: len(arrays[name]))
        return arrays[name][:tokens], arrays[name.replace("ids", "logits")][:tokens]

    def assertMatchesGolden(self, cpu, binary, model, tokens):
        """For exact binaries: the bound of GoldenTest.cpp."""
        ids, expected = self.golden(model, tokens)
        error = numpy.abs(self.logits(cpu, binary, ids) - expected).max()
        self.assertLessEqual(error, 2e-4 * numpy.abs(expected).max())

    def assertCacheHolds(self, cpu, binary, ids, count):
        """The cache gives the tokens that recomputing everything gives."""
        greedy = ("run", "--ids", ids, "-n", str(count), "--temperature", "0", "--print-ids")
        cached = self.output(cpu, binary, *greedy)
        self.assertTrue(cached.strip())
        self.assertEqual(cached, self.output(cpu, binary, *greedy, "--naive"))
