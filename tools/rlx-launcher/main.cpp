//===- main.cpp - The program in front of every compiled model ------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// rlx-compile appends a model to this program and has a model binary.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/cli.h"

int main(int argc, char **argv) { return rlx::runModelProgram(argc, argv); }
