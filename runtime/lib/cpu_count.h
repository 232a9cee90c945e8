//===-- runtime/lib/cpu_count.h - CPUs of this process -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The CPUs that this process may use, and how many threads they are good for.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_CPU_COUNT_H
#define RLX_RUNTIME_LIB_CPU_COUNT_H

#include <cstdint>
#include <vector>

namespace rlx {

/// A CPU of the affinity mask, and its physical core: hyper-thread siblings have the same.
struct UsableCpu {
  int cpu;
  uint32_t core;
};

/// In the order of their numbers; at least one.
std::vector<UsableCpu> usableCpuList();

/// CPUs this process may run on, and the physical cores (at least 1) they and
/// a container's quota amount to.
uint32_t usableCpus();
uint32_t usableCores();

} // namespace rlx

#endif // RLX_RUNTIME_LIB_CPU_COUNT_H
