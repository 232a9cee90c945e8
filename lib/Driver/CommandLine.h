//===- CommandLine.h - The flags of rlx-compile -----------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// From argv to CompileOptions.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_COMMANDLINE_H
#define RLX_LIB_DRIVER_COMMANDLINE_H

#include "rlx/Driver/CompileOptions.h"

namespace rlx {

/// Fills `options`. A number is the exit status of a command line that is wrong, or
/// that asked only for help, the version or the phases; what to say has been said.
std::optional<int> parseCommandLine(int argc, char **argv, CompileOptions &options);

} // namespace rlx

#endif // RLX_LIB_DRIVER_COMMANDLINE_H
