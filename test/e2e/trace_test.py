#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Timelines and rooflines of compiled models: every stage on every thread, nested slices, complete figures.

usage: trace_test.py MODEL_BINARY...
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

BINARIES = sys.argv[1:]
GENERATED = 3


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


class TraceTest(unittest.TestCase):
    def trace(self, binary, threads):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.json")
            result = run(binary, "trace", "--ids", "2,17,23,9,41,8", "-n", str(GENERATED), "-t", str(threads),
                         "-o", path)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(os.listdir(folder), ["t.json"])
            with open(path, encoding="utf-8") as file:
                return json.load(file)["traceEvents"]

    def check_thread(self, slices):
        """Returns the stages of each step."""
        steps, step_end, now = [], 0, 0
        for one in slices:
            begin, end = one["ts"], one["ts"] + one["dur"]
            if one["cat"] == "step":
                self.assertGreaterEqual(begin + 0.001, step_end)
                steps.append((one["args"]["variant"], []))
                step_end, now = end, begin
                continue
            self.assertGreaterEqual(begin + 0.001, now)
            self.assertLessEqual(end, step_end + 0.001)
            now = end
            if one["cat"] != "wait":
                steps[-1][1].append(one["args"]["stage"])
        return steps

    def test_every_stage_of_every_thread(self):
        for binary in BINARIES:
            for threads in 1, 3:
                events = self.trace(binary, threads)
                named = {e["tid"] for e in events if e["name"] == "thread_name"}
                self.assertEqual(named, set(range(threads)))
                for thread in range(threads):
                    steps = self.check_thread([e for e in events if e["ph"] == "X" and e["tid"] == thread])
                    self.assertEqual(len(steps), 1 + GENERATED)
                    for _, stages in steps:
                        self.assertEqual(stages, list(range(len(stages))))
                    # The decode steps are alike, and each layer has its attention.
                    self.assertEqual(len({len(stages) for _, stages in steps[1:]}), 1)
                layers = {e["args"]["layer"] for e in events if e.get("cat") == "attention"}
                count = len(json.loads(run(binary, "info", "--json").stdout)["manifest"]["model"]["layers"])
                self.assertEqual(layers, set(range(count)))

    def test_names(self):
        names = {e["name"] for e in self.trace(BINARIES[0], 2)}
        for name in "prefill 6 at 0", "decode 1 at 6", "wait", "attention layer 0", "rms norm final_norm":
            self.assertIn(name, names)
        self.assertTrue(any(n.startswith("linear q_k_v layer 1 ") for n in names), names)
        self.assertTrue(any(n.startswith("head ") for n in names), names)

    def test_bench(self):
        for binary in BINARIES:
            with tempfile.TemporaryDirectory() as folder:
                plot = os.path.join(folder, "r.svg")
                result = run(binary, "bench", "-p", "24", "-n", "4", "-r", "2", "-t", "2", "--json", "--plot", plot)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertTrue(xml.parse(plot).getroot().tag.endswith("svg"))
            root = json.loads(result.stdout)
            self.assertEqual(len(root["limits"]["bandwidth"]), 8)
            peaks = {peak["name"] for peak in root["limits"]["peaks"]}
            self.assertIn("f32 fma", peaks)
            for test in root["tests"]:
                self.assertAlmostEqual(sum(s["share"] for s in test["stages"]), 1, delta=0.01)
                products = [s for s in test["stages"] if s["operations"]]
                for stage in products:
                    self.assertIn(stage["peak"], peaks)
                    self.assertGreater(stage["share_of_limit"], 0)
                kinds = {s["kind"].split()[0] for s in products}
                self.assertEqual(kinds, {"linear", "attention", "head"})
            # A decode step reads all weights but the rows of the embedding that it does not look up.
            decode = root["tests"][1]
            self.assertGreater(decode["bytes_per_token"], 0.3 * root["weights_bytes"])
            self.assertLess(decode["bytes_per_token"], 1.2 * root["weights_bytes"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
