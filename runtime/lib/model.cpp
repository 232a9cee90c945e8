//===-- runtime/lib/model.cpp - an opened model -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements Model's accessors and the ways to open one in memory.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/model.h"

#include "cpu_count.h"
#include "model_impl.h"
#include "sha256.h"

#include <algorithm>

namespace rlx {

uint32_t Model::Impl::layerCount() const {
  return manifest.layerSlots.empty() ? table->kv_slot_count
                                     : static_cast<uint32_t>(manifest.layerSlots.size());
}

uint32_t Model::Impl::slotOfLayer(uint32_t layer) const {
  return manifest.layerSlots.empty() ? layer : manifest.layerSlots[layer];
}

static Expected<uint32_t> resolveThreads(uint32_t threads) {
  constexpr uint32_t limit = 1024;
  if (threads > limit)
    return Status(ErrorCode::InvalidArgument, "expected at most " + std::to_string(limit) +
                                                  " threads but got " + std::to_string(threads));
  return threads == 0 ? usableCores() : threads;
}

/// Checks that fit any model, however it was opened.
static Status finish(Model::Impl &impl, const ModelOptions &options, const std::string &name) {
  if (impl.weights.size() < impl.table->weights_bytes)
    return Status(ErrorCode::BadFile,
                  name + ": expected " + std::to_string(impl.table->weights_bytes) +
                      " bytes of weights but got " + std::to_string(impl.weights.size()));
  if (reinterpret_cast<uintptr_t>(impl.weights.data()) % RLX_ALIGNMENT != 0)
    return Status(ErrorCode::InvalidArgument,
                  name + ": expected weights aligned to " + std::to_string(RLX_ALIGNMENT));
  for (int32_t id : impl.manifest.eosIds)
    if (static_cast<uint64_t>(id) >= impl.table->vocab_size)
      return Status(ErrorCode::BadFile, name + ": manifest.json: model.eos_token_ids: token " +
                                            std::to_string(id) + " is outside the vocabulary of " +
                                            std::to_string(impl.table->vocab_size));
  for (uint32_t slot : impl.manifest.layerSlots)
    if (slot >= impl.table->kv_slot_count)
      return Status(ErrorCode::BadFile, name + ": manifest.json: model.layers: KV slot " +
                                            std::to_string(slot) + " does not exist; there are " +
                                            std::to_string(impl.table->kv_slot_count));
  Expected<uint32_t> threads = resolveThreads(options.threads);
  if (!threads)
    return threads.status();
  impl.threads = *threads;
  return Status();
}

Expected<Model> Model::openTable(const rlx_model_t *table, Span<const uint8_t> weights,
                                 const std::string &manifest, const ModelOptions &options,
                                 std::shared_ptr<const void> owner) {
  return guarded([&]() -> Expected<Model> {
    const std::string name = "model in memory";
    if (!table)
      return Status(ErrorCode::InvalidArgument, name + ": expected a model table but got null");
    if (Status status = checkTable(*table, name); !status.ok())
      return status;
    auto impl = std::make_shared<Impl>();
    impl->table = table;
    impl->weights = weights;
    impl->owner = std::move(owner);
    impl->manifestText = manifest.empty() ? "{}" : manifest;
    Expected<Manifest> parsed = parseEmbeddedManifest(impl->manifestText);
    if (!parsed)
      return parsed.status();
    impl->manifest = std::move(*parsed);
    if (!options.target.empty() && options.target != table->target)
      return Status(ErrorCode::InvalidArgument, name + ": expected target '" + table->target +
                                                    "' but '" + options.target + "' was asked for");
    if (Status status = finish(*impl, options, name); !status.ok())
      return status;
    return Model(impl);
  });
}

Expected<Model> Model::openQuery(rlx_query_fn query, Span<const uint8_t> weights,
                                 const std::string &manifest, const ModelOptions &options,
                                 std::shared_ptr<const void> owner) {
  return guarded([&]() -> Expected<Model> {
    if (!query)
      return Status(ErrorCode::InvalidArgument, "expected a query function but got null");
    Expected<const rlx_model_t *> table = queryTable(query, "model in memory");
    if (!table)
      return table.status();
    return openTable(*table, weights, manifest, options, std::move(owner));
  });
}

Expected<Model> Model::open(const std::string &path, const ModelOptions &options) {
  return guarded([&]() -> Expected<Model> {
    auto impl = std::make_shared<Impl>();
    if (Status status = loadPayload(*impl, path, options.target); !status.ok())
      return status;
    if (Status status = finish(*impl, options, path); !status.ok())
      return status;
    return Model(impl);
  });
}

Status Model::verify() const {
  return guarded([&]() -> Status {
    if (!shared->payload)
      return Status(ErrorCode::InvalidState, "a model in memory has no hashes to verify");
    const Manifest &manifest = shared->manifest;
    auto check = [&](const std::string &name, const std::string &expected) -> Status {
      Expected<Span<const uint8_t>> bytes = section(name);
      if (!bytes)
        return bytes.status();
      std::string actual = hexDigits(sha256(*bytes));
      if (actual != expected)
        return Status(ErrorCode::BadFile, shared->payload->path() + ": entry '" + name +
                                              "': expected SHA-256 " + expected + " but got " +
                                              actual);
      return Status();
    };
    for (const CodeEntry &code : manifest.code)
      if (Status status = check(code.entry, code.sha256); !status.ok())
        return status;
    return check(manifest.weightsEntry, manifest.weightsSha256);
  });
}

bool Model::hasSection(const std::string &entry) const {
  return shared->payload && shared->payload->find(entry);
}

Expected<Span<const uint8_t>> Model::section(const std::string &entry) const {
  if (!hasSection(entry))
    return Status(ErrorCode::InvalidArgument, "the model has no payload entry '" + entry + "'");
  return shared->payload->bytes(*shared->payload->find(entry));
}

uint64_t Model::maxChunk() const {
  uint64_t chunk = 1;
  for (const rlx_variant_t &variant : variants())
    chunk = std::max(chunk, variant.seq_max);
  return chunk;
}

uint64_t Model::vocabSize() const { return shared->table->vocab_size; }
uint64_t Model::hiddenSize() const { return shared->table->hidden_size; }
uint64_t Model::maxContext() const { return shared->table->max_context; }
uint32_t Model::layerCount() const { return shared->layerCount(); }
const char *Model::target() const { return shared->table->target; }
uint32_t Model::defaultThreads() const { return shared->threads; }
const rlx_model_t &Model::table() const { return *shared->table; }
const std::string &Model::config() const { return shared->manifestText; }
Span<const int32_t> Model::eosIds() const { return shared->manifest.eosIds; }

Span<const rlx_variant_t> Model::variants() const {
  return {shared->table->variants, shared->table->variant_count};
}
Span<const rlx_kv_slot_info_t> Model::kvSlots() const {
  return {shared->table->kv_slots, shared->table->kv_slot_count};
}
Span<const rlx_weight_t> Model::weightTable() const {
  return {shared->table->weights, shared->table->weight_count};
}

} // namespace rlx
