//===-- runtime/lib/cpu_features.h - what this CPU can do -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Features of the running CPU, by LLVM's names of subtarget features.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_CPU_FEATURES_H
#define RLX_RUNTIME_LIB_CPU_FEATURES_H

#include <string>
#include <vector>

namespace rlx {

/// The members of `needed` that this CPU and system lack, and those that this
/// runtime does not know.
std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &needed);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_CPU_FEATURES_H
