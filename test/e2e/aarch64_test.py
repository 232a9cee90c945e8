#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Model binaries for AArch64, cross-compiled and run by qemu's user mode.

usage: aarch64_test.py RLX_COMPILE QEMU TEST_DATA
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy

COMPILE, QEMU, DATA = sys.argv[1:4]


class AArch64Test(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def compile(self, target, *options):
        binary = os.path.join(self.folder, target)
        result = subprocess.run([COMPILE, os.path.join(DATA, "models", "tiny-gemma3"),
                                 "-o", binary, f"--target-cpu={target}", *options],
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return binary

    def logits(self, binary, ids, threads=1):
        # "max" has the dot product instructions that qemu's named processors lack.
        output = os.path.join(self.folder, "logits.npy")
        subprocess.run([QEMU, "-cpu", "max", binary, "logits", "-t", str(threads), "-o", output,
                        "--ids", ",".join(str(token) for token in ids)], check=True)
        return numpy.load(output)

    def golden(self):
        arrays = numpy.load(os.path.join(DATA, "goldens", "hf", "tiny-gemma3.npz"))
        ids = max((name for name in arrays if name.startswith("ids")),
                  key=lambda name: len(arrays[name]))
        return arrays[ids], arrays[ids.replace("ids", "logits")]

    def test_logits_match_the_reference(self):
        ids, expected = self.golden()
        binary = self.compile("aarch64", "--dtype=f32", "--kv-type=f32")
        error = numpy.abs(self.logits(binary, ids) - expected).max()
        self.assertLessEqual(error, 2e-4 * numpy.abs(expected).max())

    def test_neither_dot_products_nor_threads_change_bits(self):
        ids = self.golden()[0][:40]
        plain = self.logits(self.compile("aarch64", "--quantize=q8_0"), ids)
        dot = self.compile("aarch64+dotprod", "--quantize=q8_0")
        numpy.testing.assert_array_equal(self.logits(dot, ids), plain)
        numpy.testing.assert_array_equal(self.logits(dot, ids, threads=3), plain)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
