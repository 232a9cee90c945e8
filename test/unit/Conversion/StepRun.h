//===- StepRun.h - Runs the steps of a loaded model -------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The least that a caller of rlx_step_fn has to do.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_STEPRUN_H
#define RLX_TEST_UNIT_CONVERSION_STEPRUN_H

#include "rlx/runtime/abi.h"
#include <memory>
#include <string>
#include <vector>

namespace rlx::test {

/// Memory with the alignment that the interface promises and no byte to spare, filled
/// with NaNs: values that were never written must not count, not even as 0 * NaN.
class AlignedBytes {
public:
  explicit AlignedBytes(size_t size);
  char *data() const { return memory.get(); }

private:
  std::unique_ptr<char, void (*)(void *)> memory;
};

/// A sequence with its cache. `table` and `weights` must outlive it.
class StepRun {
public:
  StepRun(const rlx_model_t &table, const void *weights, uint32_t threads);
  StepRun(const StepRun &) = delete;

  /// Appends `ids` by the variant `name` and returns the logits of all of them.
  std::vector<float> run(const std::string &name, const std::vector<int32_t> &ids);

  /// Appends to several sequences of one model in one step, as many tokens to each,
  /// and returns the logits of each.
  static std::vector<std::vector<float>> runTogether(const std::string &name,
                                                     const std::vector<StepRun *> &runs,
                                                     const std::vector<std::vector<int32_t>> &ids);

  /// The greatest logits that the next steps need; 0: all.
  uint64_t top = 0;

private:
  const rlx_model_t &table;
  const void *weights;
  uint32_t threads;
  uint64_t past = 0;
  std::vector<AlignedBytes> planes;
  std::vector<rlx_kv_slot_t> slots;
};

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_STEPRUN_H
