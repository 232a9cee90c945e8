//===-- rlx/runtime/trace.h - where the time of steps goes ------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// StepTrace: when each thread of a session's steps was in which stage. Given to
// Session::setTrace; results of traced steps are the same bits.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_TRACE_H
#define RLX_RUNTIME_TRACE_H

#include "rlx/runtime/abi.h"
#include "rlx/runtime/span.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace rlx {

/// A stretch of one thread's time, in nanoseconds of the steady clock.
struct TraceSlice {
  /// Stands for a stage while a thread waits for the others.
  static constexpr uint32_t Wait = RLX_NO_INDEX;

  uint64_t begin = 0, end = 0;
  uint32_t stage = Wait; ///< index into variant->stages
};

/// One step.
struct TraceStep {
  const rlx_variant_t *variant = nullptr; ///< valid as long as the model
  uint64_t seq = 0, past = 0, outCount = 0, top = 0;
  uint64_t begin = 0, end = 0; ///< on the thread that called the session
  /// The slices of each thread, one behind the other.
  std::vector<std::vector<TraceSlice>> threads;

  uint64_t rowsOf(const rlx_stage_t &stage) const {
    if (stage.rows == RLX_ROWS_TOP)
      return top ? outCount : 0;
    return stage.rows == RLX_ROWS_OUT ? outCount : seq;
  }
  /// Multiplications and additions of a stage of this step.
  uint64_t operations(const rlx_stage_t &stage, Span<const rlx_kv_slot_info_t> slots) const;
  /// Bytes of weights, keys and values that the stage cannot do without.
  uint64_t bytes(const rlx_stage_t &stage, Span<const rlx_kv_slot_info_t> slots) const;
};

class StepTrace {
public:
  const std::deque<TraceStep> &steps() const { return list; }
  void clear() { list.clear(); }

  /// For the runtime: starts the record of a step, with room for all it can hold.
  TraceStep &beginStep(const rlx_variant_t &variant, uint32_t threads);

private:
  std::deque<TraceStep> list;
};

} // namespace rlx

#endif // RLX_RUNTIME_TRACE_H
