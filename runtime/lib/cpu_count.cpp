//===-- runtime/lib/cpu_count.cpp - how many threads to start -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Lists the CPUs of the affinity mask, and counts the physical cores among them
// within a container's CPU quota.
//===----------------------------------------------------------------------===//
#include "cpu_count.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sched.h>
#include <string>

namespace rlx {

static cpu_set_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    CPU_SET(0, &set);
  return set;
}

uint32_t usableCpus() {
  cpu_set_t set = affinity();
  return std::max(1, CPU_COUNT(&set));
}

/// CPUs of the container's quota (cgroup v2), or `fallback` without one.
static uint32_t quotaCpus(uint32_t fallback) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0)
    return fallback;
  return static_cast<uint32_t>(std::clamp(std::floor(quota / period), 1.0, double(fallback)));
}

std::vector<UsableCpu> usableCpuList() {
  cpu_set_t set = affinity();
  std::vector<UsableCpu> cpus;
  // Siblings of one core list the same CPUs in the same text.
  std::map<std::string, uint32_t> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set))
      continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings))
      siblings = "cpu " + std::to_string(cpu);
    cpus.push_back({cpu, cores.emplace(siblings, cores.size()).first->second});
  }
  return cpus;
}

uint32_t usableCores() {
  uint32_t count = 0;
  for (const UsableCpu &cpu : usableCpuList())
    count = std::max(count, cpu.core + 1);
  return std::min(count, quotaCpus(count));
}

} // namespace rlx
