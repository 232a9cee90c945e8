//===-- runtime/lib/step_runner.h - runs steps -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Runs steps of generated code: threads, workspace and the argument struct.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_STEP_RUNNER_H
#define RLX_RUNTIME_LIB_STEP_RUNNER_H

#include "dispatch.h"
#include "kv_cache.h"
#include "thread_pool.h"

#include "rlx/runtime/trace.h"

namespace rlx {

/// Output rows of consecutive positions: logits [rows][vocab_size] and hidden
/// states [rows][hidden_size].
class OutputRows {
public:
  static uint64_t bytes(const rlx_model_t &table, uint64_t rows);
  static Expected<OutputRows> create(const rlx_model_t &table, uint64_t rows, bool guard);
  /// So placed that `rows` rows end where the buffer ends.
  float *logits(uint64_t rows) const;
  float *hidden(uint64_t rows) const;

private:
  uint64_t vocabSize = 0, hiddenSize = 0;
  Buffer logitsBuffer, hiddenBuffer;
};

/// One step's data, besides what the runner owns.
struct StepRequest {
  const rlx_variant_t *variant;
  Span<const int32_t> ids;
  uint64_t past;
  uint64_t outBegin, outCount;
  uint64_t top = 0; ///< logits needed of a row, the greatest; 0: all
};

class StepRunner {
public:
  /// Bytes of the largest workspace among the variants.
  static uint64_t workspaceBytes(const rlx_model_t &table);
  static Expected<StepRunner> create(const rlx_model_t &table, const uint8_t *weights,
                                     uint32_t threads, bool guard);

  /// Appends the ids to the cache and writes the selected rows.
  void run(const StepRequest &request, KVCache &cache, const OutputRows &out);
  uint32_t threads() const { return pool->threads(); }
  /// Records the steps from now on; null records none.
  void setTrace(StepTrace *newTrace) { trace = newTrace; }
  /// The variant that ran last, or null.
  const rlx_variant_t *last() const { return lastVariant; }

private:
  const uint8_t *weights = nullptr;
  std::unique_ptr<ThreadPool> pool;
  Buffer workspace;
  const rlx_variant_t *lastVariant = nullptr;
  StepTrace *trace = nullptr;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_STEP_RUNNER_H
