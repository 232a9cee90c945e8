#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random checkpoints with the ratios of real models, compiled and compared with the reference
interpreter: heads 8:1, 4:1, 2:1, 1:1, head_dim 64, 128, 256, hidden no multiple of 64, windows;
and files with every type of block.

usage: shapes_test.py RLX_COMPILE MAKE_MODEL GGUF_FOLDER
"""
import os
import re
import resource
import subprocess
import sys
import tempfile
import unittest

COMPILE, MAKE_MODEL, GGUF_FOLDER = sys.argv[1:4]
EXACT = ("--dtype=f32", "--kv-type=f32")
IDS = ",".join(str((7 * i * i + 2) % 1000) for i in range(40))  # past the windows of 16


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def find_python():
    """An interpreter that has numpy: the one in PATH need not be the system's."""
    for python in (sys.executable, "/usr/bin/python3"):
        if run(python, "-c", "import numpy").returncode == 0:
            return python
    sys.exit("shapes_test.py: expected numpy; on Debian or Ubuntu install: python3-numpy")


PYTHON = find_python()


class ShapesTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def make(self, shape, kind="hf", dtype="bf16"):
        path = os.path.join(self.folder, f"{shape}-{dtype}" + (".gguf" if kind == "gguf" else ""))
        made = run(PYTHON, MAKE_MODEL, shape, "--format", kind, "--type", dtype, "-o", path)
        self.assertEqual(made.returncode, 0, made.stderr)
        return path

    def compile(self, checkpoint, *options):
        path = os.path.join(self.folder, "model")
        done = run(COMPILE, checkpoint, "-o", path, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path, done.stderr

    def verify(self, checkpoint, *options):
        _, text = self.compile(checkpoint, "--verify", *options)
        found = re.search(r"verified .*96 prefill and 4 decode tokens: largest error (\S+) of "
                          r"logits up to (\S+), bound", text)
        self.assertTrue(found, text)
        print(os.path.basename(checkpoint), *options, f"{float(found[1]) / float(found[2]):.1e}")
        return float(found[1]) / float(found[2])

    def check_shape(self, shape):
        checkpoint = self.make(shape)
        # Sums in f32 and nothing else: far below what a wrong key or column would make.
        self.assertLess(self.verify(checkpoint, *EXACT), 1e-5)
        self.assertLess(self.verify(checkpoint, *EXACT, "--target-cpu=x86-64-v3"), 1e-5)
        self.verify(checkpoint)
        self.verify(checkpoint, "--quantize=q4_0")
        self.verify(checkpoint, "--quantize=q4_k")

    def test_gqa8(self):
        self.check_shape("test-gqa8")

    def test_gqa4(self):
        self.check_shape("test-gqa4")

    def test_gqa2(self):
        self.check_shape("test-gqa2")

    def test_mha(self):
        self.check_shape("test-mha")

    def test_blocks(self):
        self.verify(self.make("test-mha"), "--quantize=q8_0")
        for dtype in ("q8_0", "q4_0"):
            self.verify(self.make("test-mha", "gguf", dtype))

    def test_stored_blocks(self):
        files = sorted(name for name in os.listdir(GGUF_FOLDER) if name.endswith(".gguf"))
        self.assertGreater(len(files), 10)
        for name in files:
            with self.subTest(name):
                self.verify(os.path.join(GGUF_FOLDER, name))

    def test_both_formats_give_the_same_bits(self):
        for shape, dtype, *options in (("test-gqa2", "f32", *EXACT), ("test-gqa4", "f32", *EXACT),
                                       ("test-gqa8", "bf16"), ("test-gqa4", "f16"),
                                       ("test-mha", "bf16", "--quantize=q4_0")):
            rows = []
            for kind in ("hf", "gguf"):
                model, _ = self.compile(self.make(shape, kind, dtype), *options)
                output = os.path.join(self.folder, "logits.npy")
                done = run(model, "logits", "--ids", IDS, "--positions", "all", "-o", output)
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(output, "rb") as file:
                    rows.append(file.read())
            self.assertGreater(len(rows[0]), 40 * 1024 * 4)
            self.assertTrue(rows[0] == rows[1], f"{shape} {dtype}")

    def test_steps_fit_the_stack_that_they_may_take(self):
        limit = (512 + 64) << 10  # what the process needs itself is less than 64 KiB
        checkpoint = self.make("test-gqa8")  # rows of 256
        for option in ("--dtype=f32", "--dtype=bf16", "--quantize=q4_0"):
            model, _ = self.compile(checkpoint, option)
            done = subprocess.run(
                (model, "logits", "--ids", IDS, "-o", os.path.join(self.folder, "logits.npy")),
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, limit)),
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
