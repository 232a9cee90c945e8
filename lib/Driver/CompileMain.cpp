//===- CompileMain.cpp - The program rlx-compile --------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Command line in, exit status out.
//===----------------------------------------------------------------------===//
#include "rlx/Driver/CompileMain.h"
#include "CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace rlx;

/// lib/rlx of the build or install tree that this program is in.
static std::string findLauncherFolder(const char *program) {
  static int anchor;
  llvm::SmallString<256> folder(llvm::sys::fs::getMainExecutable(program, &anchor));
  llvm::sys::path::remove_filename(folder);
  llvm::sys::path::append(folder, "..", RLX_INSTALL_LIBDIR, "rlx");
  if (!llvm::sys::fs::is_directory(folder)) { // a build tree
    llvm::sys::path::remove_filename(folder);
    llvm::sys::path::remove_filename(folder);
    llvm::sys::path::append(folder, "lib", "rlx");
  }
  llvm::sys::path::remove_dots(folder, /*remove_dot_dot=*/true);
  return folder.str().str();
}

int rlx::compileMain(int argc, char **argv, OpenCompiled openCompiled) {
  CompileOptions options;
  options.openCompiled = std::move(openCompiled);
  if (std::optional<int> status = parseCommandLine(argc, argv, options))
    return *status;
  if (options.launcherFolder.empty())
    options.launcherFolder = findLauncherFolder(argv[0]);
  if (llvm::Error error = compileModel(options)) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
