//===-- rlx/runtime/cli.h - the program around a model ----------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The command line of a model binary: what its main function calls.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_H
#define RLX_RUNTIME_CLI_H

namespace rlx {

/// Runs the command that the arguments name on the model in the running
/// program's own payload. Returns the exit status: 0, 1 when running failed, 2
/// for wrong arguments or unreadable files, 130 when interrupted.
int runModelProgram(int argc, const char *const *argv);

} // namespace rlx

#endif // RLX_RUNTIME_CLI_H
