#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Model binaries for AArch64, cross-compiled and run by qemu's user mode.

usage: aarch64_test.py RLX_COMPILE QEMU TEST_DATA
"""
import numpy

from emulated import EXACT, EmulatedTest, main

MODEL = "tiny-gemma3"
# Between them every quantised type but q8_0 and q4_0: planes of bits, minima, look-ups.
FILES = ("gemma3-Q4_K_M.gguf", "gemma2-Q2_K.gguf", "gemma2-Q5_K_M.gguf", "gemma3-IQ4_XS.gguf",
         "gemma-Q5_1.gguf")
IDS = [2, *range(100, 139)]
# It has the dot product instructions that qemu's named processors lack.
MAX = "max"
TARGETS = ("aarch64", "aarch64+dotprod", "aarch64+dotprod+i8mm")


class AArch64Test(EmulatedTest):
    def test_logits_match_the_reference(self):
        for target in (TARGETS[0], TARGETS[-1]):
            with self.subTest(target):
                # Longer than the sliding window and than several attention blocks.
                self.assertMatchesGolden(MAX, self.compile(MODEL, target, *EXACT), MODEL, 150)

    def test_cached_tokens_equal_naive_ones(self):
        for options in (EXACT, ("--quantize=q8_0",), ("--quantize=q4_0",)):
            with self.subTest(options):
                self.assertCacheHolds(MAX, self.compile(MODEL, TARGETS[-1], *options), "2,5,6,7", 8)

    def test_neither_dot_products_nor_threads_change_bits(self):
        ids = self.golden(MODEL, 40)[0]
        for options in ("--quantize=q8_0", "--quantize=q4_0"):
            plain = self.logits(MAX, self.compile(MODEL, TARGETS[0], options), ids)
            for target in TARGETS[1:]:
                with self.subTest(target + options):
                    dot = self.compile(MODEL, target, options)
                    numpy.testing.assert_array_equal(self.logits(MAX, dot, ids), plain)
                    numpy.testing.assert_array_equal(self.logits(MAX, dot, ids, threads=3), plain)

    def test_quantised_logits_equal_this_machines(self):
        # Integer sums are exact, and all targets round f32 sums at the same places.
        ids = self.golden(MODEL, 40)[0]
        for options in ("--quantize=q8_0", "--quantize=q4_0"):
            with self.subTest(options):
                here = self.logits(None, self.compile(MODEL, "x86-64-v3", options), ids)
                there = self.logits(MAX, self.compile(MODEL, TARGETS[-1], options), ids)
                numpy.testing.assert_array_equal(there, here)

    def test_stored_blocks_give_this_machines_logits(self):
        for file in FILES:
            here = self.logits(None, self.compile(file, "x86-64-v3"), IDS)
            for target in (TARGETS[0], TARGETS[-1]):
                with self.subTest(target + " " + file):
                    there = self.logits(MAX, self.compile(file, target), IDS)
                    numpy.testing.assert_array_equal(there, here)

    def test_missing_instructions_are_named(self):
        binary = self.compile(MODEL, TARGETS[-1], "--quantize=q4_0")
        refused = self.execute("cortex-a53", binary, "run", "--ids", "2", "-n", "1")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("this CPU lacks features the model was compiled for", refused.stderr)
        self.assertIn("needs dotprod, i8mm)", refused.stderr)


if __name__ == "__main__":
    main()
