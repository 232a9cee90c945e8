#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Model binaries for x86-64 on a CPU with AVX2 but without AVX-512, emulated by qemu.

A machine that has AVX-512 would not notice an instruction that should not be there.
usage: avx2_test.py RLX_COMPILE QEMU TEST_DATA
"""
import numpy

from emulated import EXACT, EmulatedTest, main

MODEL = "tiny-gemma2"
CPU = "Haswell"
QUANTISED = "--quantize=q4_0"


class AVX2Test(EmulatedTest):
    def test_logits_match_the_reference(self):
        # Few tokens: floating point is slow here.
        self.assertMatchesGolden(CPU, self.compile(MODEL, "x86-64-v3", *EXACT), MODEL, 7)

    def test_quantised_logits_equal_this_machines(self):
        ids = self.golden(MODEL, 20)[0]
        binary = self.compile(MODEL, "x86-64-v3", QUANTISED)
        numpy.testing.assert_array_equal(self.logits(CPU, binary, ids, threads=2),
                                         self.logits(None, binary, ids))

    def test_stored_blocks_give_this_machines_logits(self):
        for file in ("gemma3-Q4_K_M.gguf", "gemma2-Q2_K.gguf", "gemma3-IQ4_XS.gguf"):
            with self.subTest(file):
                binary = self.compile(file, "x86-64-v3")
                ids = [2, *range(100, 111)]
                here = self.logits(None, binary, ids)
                numpy.testing.assert_array_equal(self.logits(CPU, binary, ids), here)
                newer = self.compile(file, None)
                numpy.testing.assert_array_equal(self.logits(None, newer, ids), here)

    def test_cached_tokens_equal_naive_ones(self):
        self.assertCacheHolds(CPU, self.compile(MODEL, "x86-64-v3", QUANTISED), "2,5,6", 4)

    def test_newer_code_is_refused(self):
        binary = self.compile(MODEL, "x86-64-v4+vnni", QUANTISED)
        refused = self.execute(CPU, binary, "run", "--ids", "2", "-n", "1")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("this CPU lacks features the model was compiled for", refused.stderr)
        self.assertIn("x86-64-v4+vnni needs ", refused.stderr)
        self.assertIn("avx512vnni", refused.stderr)
        self.assertNotIn("avx2", refused.stderr)

    def test_the_code_that_fits_is_picked(self):
        binary = self.compile(MODEL, "x86-64-v3,x86-64-v4", QUANTISED)
        ids = self.golden(MODEL, 5)[0]
        self.assertRegex(self.output(CPU, binary, "info"), r"(?m)^code for +x86-64-v3$")
        only = self.compile(MODEL, "x86-64-v3", QUANTISED)
        numpy.testing.assert_array_equal(self.logits(CPU, binary, ids),
                                         self.logits(None, only, ids))


if __name__ == "__main__":
    main()
