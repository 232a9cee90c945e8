//===- CompileMain.h - The program rlx-compile ------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// rlx-compile as a function, and the parts of it that are worth calling alone.
//===----------------------------------------------------------------------===//
#ifndef RLX_DRIVER_COMPILEMAIN_H
#define RLX_DRIVER_COMPILEMAIN_H

#include "rlx/Driver/CompileOptions.h"
#include "llvm/Support/Error.h"

namespace rlx {

/// Compiles what `options` asks for. Notes, progress and the summary go to standard
/// error, text output to standard output where no file is named.
llvm::Error compileModel(const CompileOptions &options);

/// The program: 0, 1 for a failed compile, 2 for a wrong command line. `openCompiled`
/// is for --verify.
int compileMain(int argc, char **argv, OpenCompiled openCompiled);

} // namespace rlx

#endif // RLX_DRIVER_COMPILEMAIN_H
