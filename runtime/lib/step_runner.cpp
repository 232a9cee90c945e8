//===-- runtime/lib/step_runner.cpp - runs steps -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the step runner.
//===----------------------------------------------------------------------===//
#include "step_runner.h"

#include "no_sanitize.h"

#include <algorithm>
#include <chrono>

namespace rlx {

uint64_t OutputRows::bytes(const rlx_model_t &table, uint64_t rows) {
  return saturatingMul(rows, (table.vocab_size + table.hidden_size) * sizeof(float));
}

Expected<OutputRows> OutputRows::create(const rlx_model_t &table, uint64_t rows, bool guard) {
  OutputRows out;
  out.vocabSize = table.vocab_size;
  out.hiddenSize = table.hidden_size;
  for (auto [buffer, width] : {std::pair{&out.logitsBuffer, table.vocab_size},
                               std::pair{&out.hiddenBuffer, table.hidden_size}}) {
    Expected<Buffer> memory = Buffer::create(saturatingMul(rows, width * sizeof(float)), guard);
    if (!memory)
      return memory.status();
    *buffer = std::move(*memory);
  }
  return out;
}

float *OutputRows::logits(uint64_t rows) const {
  return reinterpret_cast<float *>(logitsBuffer.tail(rows * vocabSize * sizeof(float)));
}

float *OutputRows::hidden(uint64_t rows) const {
  return reinterpret_cast<float *>(hiddenBuffer.tail(rows * hiddenSize * sizeof(float)));
}

uint64_t StepRunner::workspaceBytes(const rlx_model_t &table) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < table.variant_count; ++i)
    bytes = std::max(bytes, table.variants[i].workspace_bytes);
  return roundUp(bytes, RLX_ALIGNMENT);
}

Expected<StepRunner> StepRunner::create(const rlx_model_t &table, const uint8_t *weights,
                                        uint32_t threads, bool guard) {
  StepRunner runner;
  runner.weights = weights;
  Expected<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(threads);
  if (!pool)
    return pool.status();
  runner.pool = std::move(*pool);
  Expected<Buffer> workspace =
      Buffer::create(std::max<uint64_t>(workspaceBytes(table), RLX_ALIGNMENT), guard);
  if (!workspace)
    return Status(ErrorCode::OutOfMemory, "workspace: " + workspace.status().message());
  runner.workspace = std::move(*workspace);
  return runner;
}

namespace {
struct Job {
  rlx_step_fn step;
  rlx_step_args_t args;
  TraceStep *record;
};
} // namespace

static uint64_t nanoseconds() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

/// The slices of this thread in a step that is recorded.
static thread_local std::vector<TraceSlice> *ownSlices = nullptr;

/// Ends the slice under way, if it has not ended, and begins one. Never allocates.
static void beginSlice(std::vector<TraceSlice> &slices, uint32_t stage) {
  uint64_t now = nanoseconds();
  if (!slices.empty() && slices.back().end == 0)
    slices.back().end = now;
  if (slices.size() < slices.capacity())
    slices.push_back({now, 0, stage});
}

static void recordStage(void *, uint32_t stage, uint32_t) { beginSlice(*ownSlices, stage); }

static void waitAndRecord(void *barrier) {
  beginSlice(*ownSlices, TraceSlice::Wait);
  static_cast<Barrier *>(barrier)->wait();
  ownSlices->back().end = nanoseconds();
}

RLX_NO_SANITIZE_FUNCTION
static void runJob(void *context, uint32_t thread, uint32_t threads) {
  auto *job = static_cast<const Job *>(context);
  if (!job->record)
    return job->step(&job->args, thread, threads);
  ownSlices = &job->record->threads[thread];
  job->step(&job->args, thread, threads);
  if (!ownSlices->empty() && ownSlices->back().end == 0)
    ownSlices->back().end = nanoseconds();
}

static void waitAtBarrier(void *barrier) { static_cast<Barrier *>(barrier)->wait(); }

void StepRunner::run(const StepRequest &request, KVCache &cache, const OutputRows &out) {
  rlx_sequence_t sequence{request.ids.data(), request.past, cache.slots()};
  Job job{request.variant->step, {}, nullptr};
  job.args.struct_size = sizeof(rlx_step_args_t);
  job.args.batch = 1;
  job.args.seq = request.ids.size();
  job.args.out_begin = request.outBegin;
  job.args.out_count = request.outCount;
  job.args.sequences = &sequence;
  job.args.weights = weights;
  job.args.workspace = workspace.tail(request.variant->workspace_bytes);
  job.args.logits = out.logits(request.outCount);
  job.args.hidden = out.hidden(request.outCount);
  job.args.top = request.top;
  job.args.barrier = waitAtBarrier;
  job.args.barrier_context = &pool->barrier();
  if (trace) {
    job.record = &trace->beginStep(*request.variant, threads());
    job.record->seq = request.ids.size();
    job.record->past = request.past;
    job.record->outCount = request.outCount;
    job.record->top = request.top;
    job.args.barrier = waitAndRecord;
    job.args.stage = recordStage;
    job.record->begin = nanoseconds();
  }
  cache.noteWritten(request.past + request.ids.size());
  pool->run(runJob, &job);
  if (job.record)
    job.record->end = nanoseconds();
  lastVariant = request.variant;
}

} // namespace rlx
