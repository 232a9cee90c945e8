# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a checkpoint under odd names, directly and resumed, and checks that links change nothing.

usage: odd_paths.py CHECKPOINT FOLDER
"""
import os
import shutil
import subprocess
import sys


def compile_to(output, *arguments):
    subprocess.run(["rlx-compile", *arguments, "-o", output, "--set", "cpu.opt_level=0"], check=True,
                   stderr=subprocess.DEVNULL)
    with open(output, "rb") as file:
        return file.read()


def main(checkpoint, folder):
    names = ["with space", "\U0001f642 \u00fc", "quote\" '", "line\nend\t\x01", b"no\xffutf8"]
    for name in map(os.fsencode, names):
        place = os.path.join(os.fsencode(folder), name)
        shutil.copytree(os.fsencode(checkpoint), place)
        whole = compile_to(os.path.join(place, b"m"), place)
        module = os.path.join(place, b"module")
        compile_to(module, place, "--stop-after=fuse")
        assert compile_to(os.path.join(place, b"r"), module, "--resume-from=fuse") == whole, name

    # A folder of links has the name of its own that the manifest gives: the same here.
    linked = os.path.join(folder, "linked", os.path.basename(checkpoint))
    os.makedirs(linked)
    for name in os.listdir(checkpoint):
        os.symlink(os.path.join(checkpoint, name), os.path.join(linked, name))
    direct = compile_to(os.path.join(folder, "direct"), checkpoint)
    assert compile_to(os.path.join(folder, "by-links"), linked) == direct
    alias = os.path.join(folder, "alias", os.path.basename(checkpoint))
    os.makedirs(os.path.dirname(alias))
    os.symlink(checkpoint, alias)
    assert compile_to(os.path.join(folder, "by-link"), alias) == direct


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
