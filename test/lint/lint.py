#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of the source tree that no compiler makes: sizes, licences, include directions, and that
every op and pass has its example and its test. Prints each finding as FILE:LINE: message.

usage: lint.py ROOT
"""
import re
import subprocess
import sys
from pathlib import Path

CODE = {".cpp", ".h", ".td", ".c", ".py", ".mlir"}
LIMIT, SHARE, HARD_LIMIT = 500, 0.95, 800


class Lint:
    def __init__(self, root):
        self.root = root
        names = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True,
                               check=True).stdout.split("\n")
        self.files = [Path(n) for n in names
                      if n and not n.startswith("test/data/") and (root / n).is_file()]
        self.found = []

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def report(self, path, line, message):
        self.found.append(f"{path}:{line}: {message}")

    def code(self):
        return [f for f in self.files if f.suffix in CODE]

    def sizes(self):
        long = 0
        for path in self.code():
            lines = self.text(path).count("\n")
            long += lines > LIMIT
            if lines > HARD_LIMIT:
                self.report(path, lines, f"expected at most {HARD_LIMIT} lines but got {lines}")
        if long > (1 - SHARE) * len(self.code()):
            self.report(".", 0, f"expected {SHARE:.0%} of files to have at most {LIMIT} lines, "
                                f"but {long} of {len(self.code())} are longer")

    def licences(self):
        for path in self.code():
            if path.suffix != ".mlir" and "SPDX-License-Identifier" not in self.text(path):
                self.report(path, 1, "expected an SPDX licence line")

    def includes(self):
        """runtime → nothing of ours; dialects → MLIR; lib → dialects, abi.h; tools → lib, runtime."""
        rules = [
            ("runtime/", re.compile(r"^(mlir|llvm|lld)/|^rlx/(?!runtime/)")),
            ("dialects/", re.compile(r"^rlx/(?!IR/)")),
            ("include/", re.compile(r"^rlx/runtime/(?!(abi|turn_format)\.h)")),
        ]
        for path in self.code():
            if path.suffix not in {".cpp", ".h", ".c"}:
                continue
            for prefix, forbidden in rules:
                if not str(path).startswith(prefix):
                    continue
                for i, line in enumerate(self.text(path).split("\n"), 1):
                    found = re.match(r'\s*#include\s+["<]([^">]+)', line)
                    if found and forbidden.search(found[1]):
                        self.report(path, i, f"{prefix} must not include {found[1]}")

    def unfinished(self):
        for path in self.code():
            if path.parts[:2] == ("test", "lint"):
                continue
            for i, line in enumerate(self.text(path).split("\n"), 1):
                if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                    self.report(path, i, "expected no unfinished work")

    def filecheck(self):
        """Every prefix that a RUN line names occurs, every directive's prefix is named by a RUN
        line, and no test consists of negative checks alone."""
        for path in self.files:
            if path.parts[:2] != ("test", "lit") or path.suffix not in {".mlir", ".test"}:
                continue
            text = self.text(path)
            runs = " ".join(re.findall(r"RUN:(.*)", text))
            if "FileCheck" not in runs:
                continue
            named = set()
            for option in re.findall(r"--?check-prefix(?:es)?[= ]([\w,-]+)", runs):
                named.update(option.split(","))
            if re.search(r"FileCheck(?![^|;&]*check-prefix)", runs):
                named.add("CHECK")
            suffix = r"(-NEXT|-SAME|-NOT|-DAG|-LABEL|-COUNT-\d+|-EMPTY)?:"
            used = re.findall(r"^\s*(?:(?://|#|;)\s*)?([A-Z][A-Z0-9_-]*?)" + suffix, text, re.M)
            for prefix in named - {name for name, _ in used}:
                self.report(path, 1, f"FileCheck prefix {prefix} has no directive")
            known = {"RUN", "UNSUPPORTED", "REQUIRES", "NOTE", "XFAIL"}
            for prefix in {name for name, _ in used} - named - known:
                self.report(path, 1, f"directive prefix {prefix} is named by no RUN line")
            mine = [kind for name, kind in used if name in named]
            if mine and all(kind == "-NOT" for kind in mine):
                self.report(path, 1, "expected a positive check beside the CHECK-NOTs")

    def ops(self):
        """Every op has a formula (those that define symbols compute nothing), an example and a
        test; every rule has a test that expects an error."""
        texts = [self.text(f) for f in self.files if f.parts[:3] == ("test", "lit", "Dialect")]
        tests = "\n".join(texts)
        negative = "\n".join(part for text in texts for part in text.split("// -----")
                             if "expected-error" in part)
        for path in self.files:
            if path.suffix != ".td" or path.parts[0] != "dialects":
                continue
            text = self.text(path)
            for found in re.finditer(r'def RLX_\w+ : RLX_\w*Op<"(\w+)"(?:, \[(\w+))?', text):
                name, line = found[1], text[: found.start()].count("\n") + 1
                body = text[found.end(): text.find("\ndef ", found.end())]
                prose = body.partition("let description")[2].partition("```")[0]
                if found[2] != "Symbol" and not re.search(r"`[^`]*=[^`]*`", prose):
                    self.report(path, line, f"op {name} has no formula in its description")
                if f"rlx.{name}" not in body:
                    self.report(path, line, f"op {name} has no example in its description")
                if f"rlx.{name} " not in tests and f"rlx.{name}(" not in tests:
                    self.report(path, line, f"op {name} has no test under test/lit/Dialect")
            for found in re.finditer(r"^ +(?:-|Rule) (\w+_c\d+)", text, re.M):
                if not re.search(rf"(@|// ){found[1]}\b", negative):
                    line = text[: found.start()].count("\n") + 2
                    self.report(path, line, f"rule {found[1]} has no negative test of that name")

    def passes(self):
        tests = {f.stem: f for f in self.files if f.parts[:2] == ("test", "lit")}
        for path in self.files:
            if path.name != "Passes.td":
                continue
            text = self.text(path)
            for found in re.finditer(r'def \w+\s*:\s*\w*Pass<"rlx-([\w-]+)"', text):
                name, line = found[1], text[: found.start()].count("\n") + 1
                if name not in tests:
                    self.report(path, line, f"pass rlx-{name} has no lit test {name}.mlir")
                body = text[found.end(): text.find("\ndef ", found.end())]
                if "```" not in body and not name.startswith("verify-"):
                    self.report(path, line, f"pass rlx-{name} has no example in its description")

    def run(self):
        for check in (self.sizes, self.licences, self.includes, self.unfinished, self.filecheck,
                      self.ops, self.passes):
            check()
        for line in self.found:
            print(line)
        return 1 if self.found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(Lint(Path(sys.argv[1])).run())
