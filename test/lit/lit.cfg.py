# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lit suite: what the dialect, the passes and the tools do, as text."""

import os
import sys

import lit.formats
from lit.llvm import llvm_config

config.name = "RLX"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
# Code for two targets runs here.
with open("/proc/cpuinfo", encoding="utf-8") as cpus:
    if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= set(cpus.read().split()):
        config.available_features.add("avx512")
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.rlx_binary_dir, "test", "lit")

llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.rlx_tools_dir, append_path=True)
# A variable of one test block must not match in the next by accident.
llvm_config.with_environment("FILECHECK_OPTS", "-enable-var-scope --allow-unused-prefixes=false")
config.substitutions.append(("%python", f'"{sys.executable}"'))
config.substitutions.append(("%data", os.path.join(config.rlx_source_dir, "test", "data")))
config.substitutions.append(("%abi_include", os.path.join(config.rlx_source_dir, "runtime", "include")))
