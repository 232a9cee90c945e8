//===-- info_command.cpp - what a model is and needs -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The info command: model, code, weights, memory and compile options.
//===----------------------------------------------------------------------===//
#include "program.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace rlx::cli {

using nlohmann::ordered_json;

static const char *roleName(uint32_t role) {
  return role == RLX_ROLE_DECODE ? "decode" : "prefill";
}

/// Whether decode can find the logits that matter with a coarse copy of the head.
static bool canScreen(const Model &model) {
  for (const rlx_variant_t &variant : model.variants())
    for (uint64_t i = 0; i < variant.stage_count; ++i)
      if (variant.stages[i].rows == RLX_ROWS_TOP)
        return true;
  return false;
}

static const char *kvTypeName(uint32_t type) {
  static const char *const names[] = {"f32", "f16", "bf16", "q8_0"};
  return names[type]; // The table's check has seen to the range.
}

/// Bytes of the weights by element type.
static std::map<std::string, uint64_t> bytesByType(const Model &model) {
  std::map<std::string, uint64_t> bytes;
  for (const rlx_weight_t &weight : model.weightTable())
    bytes[weight.dtype] += weight.size;
  return bytes;
}

/// Drafts that a step can check with the bits of plain steps: each needs a row of
/// logits, as does the token before them.
static uint64_t maxDrafts(const Model &model) {
  uint64_t rows = 1;
  for (const rlx_variant_t &variant : model.variants())
    rows = std::max(rows, std::min(variant.seq_max, variant.out_max));
  return std::min<uint64_t>(rows, RLX_EXACT_TOKENS) - 1;
}

static ordered_json variantsJson(const Model &model) {
  ordered_json list = ordered_json::array();
  for (const rlx_variant_t &variant : model.variants())
    list.push_back({{"name", variant.name},
                    {"role", roleName(variant.role)},
                    {"batch_max", variant.batch_max},
                    {"seq", {variant.seq_min, variant.seq_max}},
                    {"past", {variant.past_min, variant.past_max}},
                    {"workspace_bytes", variant.workspace_bytes}});
  return list;
}

static ordered_json slotsJson(const Model &model) {
  ordered_json list = ordered_json::array();
  for (const rlx_kv_slot_info_t &slot : model.kvSlots())
    list.push_back({{"kv_heads", slot.kv_heads},
                    {"head_dim", slot.head_dim},
                    {"type", kvTypeName(slot.kv_type)},
                    {"window", slot.window}});
  return list;
}

static ordered_json weightsJson(const Model &model) {
  ordered_json list = ordered_json::array();
  for (const rlx_weight_t &weight : model.weightTable())
    list.push_back({{"name", weight.name},
                    {"dtype", weight.dtype},
                    {"packing", weight.packing},
                    {"offset", weight.offset},
                    {"bytes", weight.size}});
  return list;
}

static void printJson(const Program &program, const MemoryUse &memory, uint64_t context) {
  const Model &model = program.model;
  ordered_json root = {
      {"name", program.name},
      {"target", model.target()},
      {"vocab_size", model.vocabSize()},
      {"hidden_size", model.hiddenSize()},
      {"max_context", model.maxContext()},
      {"max_chunk", model.maxChunk()},
      {"max_drafts", maxDrafts(model)},
      {"threads", model.defaultThreads()},
      {"tokenizer_pieces", program.tokenizer ? program.tokenizer->size() : 0},
      {"turn_format", program.turnFormat ? ordered_json(program.turnFormat->name) : ordered_json()},
      {"memory",
       {{"context", context},
        {"weights", memory.weights},
        {"kv_cache", memory.kvCache},
        {"workspace", memory.workspace},
        {"total", memory.total()}}},
      {"variants", variantsJson(model)},
      {"kv_slots", slotsJson(model)},
      {"screening", canScreen(model)},
      {"weights", weightsJson(model)},
      {"manifest", ordered_json::parse(model.config(), nullptr, false)}};
  program.console.out << root.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

static std::string range(uint64_t low, uint64_t high) {
  return low == high ? std::to_string(low) : std::to_string(low) + "-" + std::to_string(high);
}

static void printText(const Program &program, const MemoryUse &memory, uint64_t context) {
  const Model &model = program.model;
  Output &out = program.console.out;
  auto line = [&](const std::string &key, const std::string &value) {
    out << key << std::string(key.size() < 14 ? 14 - key.size() : 1, ' ') << value << "\n";
  };
  line("model", program.name);
  line("code for", model.target());
  line("vocabulary", std::to_string(model.vocabSize()) + " ids, " +
                         (program.tokenizer ? std::to_string(program.tokenizer->size()) + " pieces"
                                            : std::string("no tokenizer: takes --ids only")));
  line("chat template", program.turnFormat ? program.turnFormat->name : "none: plain completion");
  line("context", "up to " + std::to_string(model.maxContext()));
  std::string types;
  for (const auto &[type, bytes] : bytesByType(model))
    types += (types.empty() ? "" : ", ") + type + " " + formatBytes(bytes);
  line("weights", formatBytes(memory.weights) + (types.empty() ? "" : " (" + types + ")"));
  line("KV cache", formatBytes(memory.kvCache) + " for " + std::to_string(context) + " tokens");
  line("workspace", formatBytes(memory.workspace));
  line("in all", formatBytes(memory.total()));
  line("speculation", "up to " + std::to_string(maxDrafts(model)) + " drafts in a step");
  if (canScreen(model))
    line("screening", "decode computes the logits that can be sampled");
  out << "variants\n";
  for (const rlx_variant_t &variant : model.variants())
    line("  " + std::string(variant.name) + " ",
         std::string(roleName(variant.role)) + ", " + range(variant.seq_min, variant.seq_max) +
             " tokens after " + range(variant.past_min, variant.past_max));
}

Status infoCommand(const std::string &programName, const std::vector<std::string> &args,
                   Console &console, const OpenProgram &open) {
  CommonOptions common;
  bool asJson = false;
  ArgParser parser(programName, "info [options]",
                   "Describes the model, the variants of its code, and the memory it needs.");
  parser.flag("--json", asJson, "print everything as JSON, the compile options included");
  common.addSession(parser);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  Expected<Program> program = open();
  if (!program)
    return program.status();
  const std::string &variant = common.variant;
  Span<const rlx_variant_t> variants = program->model.variants();
  if (!variant.empty() && std::none_of(variants.begin(), variants.end(),
                                       [&](const rlx_variant_t &v) { return variant == v.name; }))
    return usageError("--variant: the model has no variant '" + variant + "'");
  SessionOptions options = common.session();
  Expected<MemoryUse> memory = program->model.memoryUse(options);
  if (!memory)
    return memory.status();
  uint64_t context = options.maxContext ? options.maxContext
                                        : std::min<uint64_t>(program->model.maxContext(), 8192);
  if (asJson)
    printJson(*program, *memory, context);
  else
    printText(*program, *memory, context);
  if (common.maxMemory && memory->total() > common.maxMemory)
    return Status(ErrorCode::OutOfMemory, "the model needs " + formatBytes(memory->total()) +
                                              ", more than --max-memory " +
                                              formatBytes(common.maxMemory));
  return Status();
}

} // namespace rlx::cli
