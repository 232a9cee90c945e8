//===-- stage_profile.cpp - time by kind of stage -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the sums.
//===----------------------------------------------------------------------===//
#include "stage_profile.h"

#include <algorithm>
#include <tuple>

namespace rlx::cli {

double KindProfile::limitShare(const MachineLimits &limits) const {
  if (seconds <= 0)
    return 0;
  double least = static_cast<double>(bytes) / limits.best().bytesPerSecond;
  if (probe < limits.peaks.size())
    least =
        std::max(least, static_cast<double>(operations) / limits.peaks[probe].operationsPerSecond);
  return least / seconds;
}

StepTotals totalsOf(const StepTrace &trace, const Model &model) {
  StepTotals totals;
  for (const TraceStep &step : trace.steps())
    for (uint64_t i = 0; i < step.variant->stage_count; ++i) {
      totals.bytes += step.bytes(step.variant->stages[i], model.kvSlots());
      totals.operations += step.operations(step.variant->stages[i], model.kvSlots());
    }
  return totals;
}

namespace {
class Profiler {
public:
  explicit Profiler(const Model &model) : model(model) {}

  void add(const TraceStep &step) {
    for (uint64_t i = 0; i < step.variant->stage_count; ++i) {
      const rlx_stage_t &stage = step.variant->stages[i];
      KindProfile &kind = find(stage.kind);
      kind.bytes += step.bytes(stage, model.kvSlots());
      kind.operations += step.operations(stage, model.kvSlots());
      kind.probe = stage.probe;
    }
    const double perThread = 1e-9 / static_cast<double>(step.threads.size());
    double known = 0, whole = 1e-9 * static_cast<double>(step.end - step.begin);
    for (const std::vector<TraceSlice> &slices : step.threads)
      for (const TraceSlice &slice : slices) {
        double seconds = perThread * static_cast<double>(slice.end - slice.begin);
        bool isWait = slice.stage >= step.variant->stage_count;
        find(isWait ? "wait" : step.variant->stages[slice.stage].kind).seconds += seconds;
        known += seconds;
      }
    find("other").seconds += std::max(0.0, whole - known);
    total += whole;
  }

  std::vector<KindProfile> finish() {
    for (KindProfile &kind : kinds)
      kind.share = total > 0 ? kind.seconds / total : 0;
    std::sort(kinds.begin(), kinds.end(), [](const KindProfile &a, const KindProfile &b) {
      return std::tie(b.seconds, a.kind) < std::tie(a.seconds, b.kind);
    });
    return std::move(kinds);
  }

private:
  KindProfile &find(const std::string &name) {
    for (KindProfile &kind : kinds)
      if (kind.kind == name)
        return kind;
    kinds.emplace_back().kind = name;
    return kinds.back();
  }

  const Model &model;
  std::vector<KindProfile> kinds;
  double total = 0;
};
} // namespace

std::vector<KindProfile> profileOf(const StepTrace &trace, const Model &model) {
  Profiler profiler(model);
  for (const TraceStep &step : trace.steps())
    profiler.add(step);
  return profiler.finish();
}

} // namespace rlx::cli
