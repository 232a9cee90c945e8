//===-- runtime/lib/dispatch.h - which variant runs a step -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Cuts a run of tokens into steps and picks the variant of each.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_DISPATCH_H
#define RLX_RUNTIME_LIB_DISPATCH_H

#include "rlx/runtime/abi.h"
#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rlx {

/// One step: `seq` tokens by one variant.
struct PlannedStep {
  const rlx_variant_t *variant;
  uint64_t seq;
};

/// What a plan must satisfy.
struct PlanRequest {
  uint64_t tokens; ///< to append, >= 1
  uint64_t past;   ///< already in the cache
  uint64_t chunk;  ///< tokens of a step at most
  bool allRows;    ///< logits of every token rather than of the last
  rlx_role_t role; ///< preferred among equally narrow variants
};

class Dispatcher {
public:
  explicit Dispatcher(Span<const rlx_variant_t> variants) : variants(variants) {}

  /// Allows only the variant of this name; "" allows all again.
  Status force(const std::string &name);

  /// The narrowest variant for one step, or null. Narrow is a small range of
  /// SEQ, then a small range of PAST_SEQ; the table's order settles the rest.
  const rlx_variant_t *pick(uint64_t seq, uint64_t past, uint64_t rows, rlx_role_t role) const;

  /// The steps that append the tokens, each as large as it may be. An error
  /// where no allowed variant takes a step, before anything has run.
  Expected<std::vector<PlannedStep>> plan(const PlanRequest &request) const;

private:
  uint64_t largestStep(const PlanRequest &request, uint64_t past) const;
  Status noVariant(uint64_t seq, uint64_t past) const;

  Span<const rlx_variant_t> variants;
  const rlx_variant_t *forced = nullptr;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_DISPATCH_H
