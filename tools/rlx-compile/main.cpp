//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// rlx-compile: a Gemma checkpoint in, a native executable out.

#include "RuntimeSession.h"
#include "rlx/Driver/CompileMain.h"

int main(int argc, char **argv) { return rlx::compileMain(argc, argv, rlx::openRuntimeSession); }
