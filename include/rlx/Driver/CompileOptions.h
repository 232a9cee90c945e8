//===- CompileOptions.h - What a compile is asked to do ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The options of rlx-compile as plain data, for its command line and embedders.
//===----------------------------------------------------------------------===//
#ifndef RLX_DRIVER_COMPILEOPTIONS_H
#define RLX_DRIVER_COMPILEOPTIONS_H

#include "rlx/Driver/Phases.h"
#include "rlx/Driver/Profile.h"
#include "rlx/Interpreter/Verify.h"
#include <string>
#include <vector>

namespace rlx {

/// What is written, see --emit.
enum class EmitKind {
  Rlx,    ///< the RLX module as text
  Mlir,   ///< the module in the LLVM dialect, as text
  Llvm,   ///< LLVM IR as text, optimised
  Asm,    ///< assembly
  Object, ///< relocatable object, with weights, manifest and header beside it
  Shared, ///< shared object, likewise
  Binary  ///< the model binary
};

/// A profile key set on the command line.
struct ProfileFlag {
  std::string key, value, flag;
};

struct CompileOptions {
  std::string input;
  std::string output;      ///< "-" or empty: standard output, for text only
  std::string configFile;  ///< --config
  std::string profileFile; ///< --profile
  std::vector<ProfileFlag> profileFlags;
  EmitKind emit = EmitKind::Binary;
  std::optional<Phase> stopAfter;  ///< a textual phase: write its module and stop
  std::optional<Phase> resumeFrom; ///< the input is the module after this phase
  bool includeMtp = false;
  bool printProfile = false; ///< print the resolved profile and stop
  bool tune = false;         ///< choose tiles for native targets by running candidates
  bool verify = false;       ///< compare with the reference interpreter, through openCompiled
  bool verbose = false;
  unsigned threads = 0;       ///< 0: one for each core
  std::string reproducer;     ///< where a failing pass pipeline leaves its reproducer
  std::string launcherFolder; ///< the folder that holds launcher-<arch>
  OpenCompiled openCompiled;  ///< runs what was written: the runtime is no part of the compiler
};

} // namespace rlx

#endif // RLX_DRIVER_COMPILEOPTIONS_H
