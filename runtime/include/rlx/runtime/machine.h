//===-- rlx/runtime/machine.h - what the machine can do ---------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Measures the limits that a model's speed is compared with: how fast memory is
// read, and how fast the processor multiplies with the model's own instructions.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_MACHINE_H
#define RLX_RUNTIME_MACHINE_H

#include "rlx/runtime/model.h"

namespace rlx {

/// One way to read memory: each thread reads so many ranges side by side.
struct BandwidthSample {
  uint32_t streams = 0;
  bool prefetch = false;     ///< by instructions, besides what the processor does itself
  double bytesPerSecond = 0; ///< of all threads together
};

/// The peak of one kind of product.
struct PeakSample {
  std::string name; ///< of the probe, e.g. "int8 dot"
  double operationsPerSecond = 0;
};

struct MachineLimits {
  std::vector<BandwidthSample> bandwidth;
  std::vector<PeakSample> peaks; ///< in the order of the model's probes

  /// The fastest way to read memory.
  const BandwidthSample &best() const;
};

/// Takes about a second and 256 MiB of memory. Each figure is the best of several runs of all
/// threads at once.
Expected<MachineLimits> measureMachine(const Model &model, uint32_t threads);

} // namespace rlx

#endif // RLX_RUNTIME_MACHINE_H
