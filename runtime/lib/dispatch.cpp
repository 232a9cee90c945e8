//===-- runtime/lib/dispatch.cpp - which variant runs a step -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the choice of variants from the dispatch table of ranges.
//===----------------------------------------------------------------------===//
#include "dispatch.h"

#include <algorithm>
#include <tuple>

namespace rlx {

static bool takesPast(const rlx_variant_t &variant, uint64_t past) {
  return variant.past_min <= past && past <= variant.past_max;
}

static std::string range(const char *symbol, uint64_t low, uint64_t high) {
  return std::string(symbol) + " " + std::to_string(low) + " to " + std::to_string(high);
}

Status Dispatcher::force(const std::string &name) {
  if (name.empty()) {
    forced = nullptr;
    return Status();
  }
  std::string names;
  for (const rlx_variant_t &variant : variants) {
    if (name == variant.name) {
      forced = &variant;
      return Status();
    }
    names += (names.empty() ? "" : ", ") + std::string(variant.name);
  }
  return Status(ErrorCode::InvalidArgument,
                "the model has no variant '" + name + "'; it has " + names);
}

const rlx_variant_t *Dispatcher::pick(uint64_t seq, uint64_t past, uint64_t rows,
                                      rlx_role_t role) const {
  const rlx_variant_t *best = nullptr;
  auto width = [role](const rlx_variant_t &variant) {
    return std::tuple(variant.seq_max - variant.seq_min, variant.past_max - variant.past_min,
                      variant.role != role);
  };
  for (const rlx_variant_t &variant : variants) {
    bool takes = variant.seq_min <= seq && seq <= variant.seq_max && takesPast(variant, past) &&
                 rows <= variant.out_max && (!forced || forced == &variant);
    if (takes && (!best || width(variant) < width(*best)))
      best = &variant;
  }
  return best;
}

uint64_t Dispatcher::largestStep(const PlanRequest &request, uint64_t past) const {
  uint64_t largest = 0;
  for (const rlx_variant_t &variant : variants)
    if (takesPast(variant, past) && (!forced || forced == &variant))
      largest = std::max(largest, request.allRows ? std::min(variant.seq_max, variant.out_max)
                                                  : variant.seq_max);
  return std::min(largest, request.chunk);
}

Status Dispatcher::noVariant(uint64_t seq, uint64_t past) const {
  std::string step = "SEQ " + std::to_string(seq) + " and PAST_SEQ " + std::to_string(past);
  if (!forced)
    return Status(ErrorCode::InvalidArgument, "the model has no variant for " + step);
  return Status(ErrorCode::InvalidArgument,
                std::string("the forced variant '") + forced->name + "' takes " +
                    range("SEQ", forced->seq_min, forced->seq_max) + " and " +
                    range("PAST_SEQ", forced->past_min, forced->past_max) + " but got " + step);
}

Expected<std::vector<PlannedStep>> Dispatcher::plan(const PlanRequest &request) const {
  std::vector<PlannedStep> steps;
  for (uint64_t done = 0; done < request.tokens;) {
    uint64_t past = request.past + done, rest = request.tokens - done;
    uint64_t seq = std::min(largestStep(request, past), rest);
    if (seq == 0)
      return noVariant(rest, past);
    const rlx_variant_t *variant =
        pick(seq, past, request.allRows ? seq : uint64_t(1), request.role);
    if (!variant)
      return noVariant(seq, past);
    steps.push_back({variant, seq});
    done += seq;
  }
  return steps;
}

} // namespace rlx
