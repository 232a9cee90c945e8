//===-- runtime/lib/table_check.cpp - is a model table sound -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Checks the static tables of a code object before anything relies on them.
//===----------------------------------------------------------------------===//
#include "code_loader.h"

#include <algorithm>
#include <set>

namespace rlx {

// Far above any model, far below where sizes computed from them overflow.
constexpr uint64_t vocabLimit = uint64_t(1) << 31, hiddenLimit = uint64_t(1) << 24;
constexpr uint64_t contextLimit = uint64_t(1) << 32, workspaceLimit = uint64_t(1) << 44;
constexpr uint64_t stageLimit = 1 << 20;
constexpr uint32_t probeLimit = 64;
constexpr uint32_t slotLimit = 1 << 14, headLimit = 1 << 12, headDimLimit = 1 << 14;

namespace {
class TableChecker {
public:
  TableChecker(const rlx_model_t &table, const std::string &name) : table(table), name(name) {}

  Status check() {
    if (Status status = checkHeader(); !status.ok())
      return status;
    if (Status status = checkSlots(); !status.ok())
      return status;
    for (uint32_t i = 0; i < table.variant_count; ++i)
      if (Status status = checkVariant(table.variants[i]); !status.ok())
        return status;
    if (Status status = checkCoverage(); !status.ok())
      return status;
    if (Status status = checkProbes(); !status.ok())
      return status;
    return checkWeights();
  }

private:
  Status bad(const std::string &message) const {
    return Status(ErrorCode::BadFile, name + ": model table: " + message);
  }

  Status checkHeader() const {
    if (table.abi_version != RLX_ABI_VERSION || table.struct_size != sizeof(rlx_model_t))
      return Status(ErrorCode::Unsupported, name + ": model table: expected ABI version " +
                                                std::to_string(RLX_ABI_VERSION) + " but got " +
                                                std::to_string(table.abi_version) +
                                                "; compile the model again");
    if (table.vocab_size == 0 || table.vocab_size > vocabLimit || table.hidden_size == 0 ||
        table.hidden_size > hiddenLimit || table.max_context == 0 ||
        table.max_context > contextLimit)
      return bad("vocabulary, hidden size or context is out of range");
    if (!table.target || !table.variants || table.variant_count == 0 ||
        (table.kv_slot_count && !table.kv_slots) || (table.weight_count && !table.weights))
      return bad("a table is missing");
    return Status();
  }

  Status checkSlots() const {
    if (table.kv_slot_count > slotLimit)
      return bad("absurd number of KV slots");
    for (uint32_t i = 0; i < table.kv_slot_count; ++i) {
      const rlx_kv_slot_info_t &slot = table.kv_slots[i];
      if (slot.kv_heads == 0 || slot.kv_heads > headLimit || slot.head_dim == 0 ||
          slot.head_dim > headDimLimit || slot.kv_type > RLX_KV_Q8_0 ||
          (slot.kv_type == RLX_KV_Q8_0 && slot.head_dim % RLX_KV_SCALED))
        return bad("KV slot " + std::to_string(i) + " has sizes or a type out of range");
    }
    return Status();
  }

  Status checkVariant(const rlx_variant_t &variant) {
    if (!variant.name || !*variant.name || !names.insert(variant.name).second)
      return bad("expected variants with distinct names");
    std::string which = std::string("variant '") + variant.name + "'";
    if (!variant.step)
      return bad(which + " has no code");
    if (variant.seq_min == 0 || variant.seq_min > variant.seq_max ||
        variant.seq_max > table.max_context || variant.past_min > variant.past_max ||
        variant.batch_max == 0 || variant.out_max == 0)
      return bad(which + " has an empty range");
    if (variant.role > RLX_ROLE_DECODE || (variant.role == RLX_ROLE_DECODE && variant.seq_max != 1))
      return bad(which + ": expected role prefill, or decode with SEQ 1");
    if (variant.workspace_bytes > workspaceLimit)
      return bad(which + " has an absurd workspace");
    return checkStages(variant, which);
  }

  Status checkStages(const rlx_variant_t &variant, const std::string &which) const {
    if (variant.stage_count > stageLimit || (variant.stage_count && !variant.stages))
      return bad(which + " has no table of stages, or an absurd one");
    for (uint64_t i = 0; i < variant.stage_count; ++i) {
      const rlx_stage_t &stage = variant.stages[i];
      if (!stage.name || !stage.kind || stage.rows > RLX_ROWS_TOP ||
          (stage.kv_slot != RLX_NO_INDEX && stage.kv_slot >= table.kv_slot_count) ||
          (stage.probe != RLX_NO_INDEX && stage.probe >= table.probe_count))
        return bad(which + ": stage " + std::to_string(i) + " has no name, or odd fields");
    }
    return Status();
  }

  /// One token must be possible at every PAST_SEQ, or a session would get stuck.
  Status checkCoverage() const {
    uint64_t past = 0;
    while (past < table.max_context) {
      uint64_t reached = past;
      for (uint32_t i = 0; i < table.variant_count; ++i) {
        const rlx_variant_t &variant = table.variants[i];
        if (variant.seq_min == 1 && variant.past_min <= past && variant.past_max >= past)
          reached = std::max(reached, std::min(variant.past_max, table.max_context) + 1);
      }
      if (reached == past)
        return bad("no variant takes one token at PAST_SEQ " + std::to_string(past));
      past = reached;
    }
    return Status();
  }

  Status checkProbes() const {
    if (table.probe_count > probeLimit || (table.probe_count && !table.probes))
      return bad("the table of probes is missing, or absurd");
    for (uint32_t i = 0; i < table.probe_count; ++i)
      if (!table.probes[i].name || !table.probes[i].run || table.probes[i].operations == 0)
        return bad("probe " + std::to_string(i) + " has no name, code or operations");
    return Status();
  }

  Status checkWeights() const {
    for (uint32_t i = 0; i < table.weight_count; ++i) {
      const rlx_weight_t &weight = table.weights[i];
      if (!weight.name || !weight.dtype || !weight.packing)
        return bad("weight " + std::to_string(i) + " has no name, dtype or packing");
      if (weight.offset % RLX_ALIGNMENT != 0 || weight.offset > table.weights_bytes ||
          weight.size > table.weights_bytes - weight.offset)
        return bad(std::string("weight '") + weight.name + "' lies outside the weights");
    }
    return Status();
  }

  const rlx_model_t &table;
  const std::string &name;
  std::set<std::string> names;
};
} // namespace

Status checkTable(const rlx_model_t &table, const std::string &name) {
  return TableChecker(table, name).check();
}

} // namespace rlx
