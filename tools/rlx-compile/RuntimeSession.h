//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Runs model binaries for rlx-compile --verify.

#ifndef RLX_TOOLS_RLX_COMPILE_RUNTIMESESSION_H
#define RLX_TOOLS_RLX_COMPILE_RUNTIMESESSION_H

#include "rlx/Interpreter/Verify.h"

namespace rlx {

llvm::Expected<std::unique_ptr<CompiledSession>> openRuntimeSession(const std::string &path,
                                                                    const std::string &target);

} // namespace rlx

#endif // RLX_TOOLS_RLX_COMPILE_RUNTIMESESSION_H
