//===-- rlx/runtime/model.h - an opened model -------------------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Model: code, weights and manifest of a compiled model, mapped read-only and
// shared by all of its sessions.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_MODEL_H
#define RLX_RUNTIME_MODEL_H

#include "rlx/runtime/abi.h"
#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rlx {

struct SessionOptions;

struct ModelOptions {
  /// Threads of each session that does not ask for another number; 0 is one
  /// for each physical core this process may use.
  uint32_t threads = 0;
  /// Target of the code object to use, as info() lists them; empty is the most
  /// specific one that this CPU runs.
  std::string target;
};

/// Bytes that a session needs. Pages of the KV cache are touched only as tokens
/// arrive, so the resident size grows up to these figures.
struct MemoryUse {
  uint64_t weights = 0;   ///< mapped from the file, shared by all sessions
  uint64_t kvCache = 0;   ///< for the whole context
  uint64_t workspace = 0; ///< activations, logits and hidden state
  uint64_t total() const { return weights + kvCache + workspace; }
};

/// An opened model. A cheap handle: copies share the mapping, which lives until
/// the last handle and the last session are gone. All methods are const and may
/// be called from any thread.
class Model {
public:
  /// Opens a model binary written by rlx-compile, or any file that ends with
  /// its payload. "/proc/self/exe" opens the running program's own payload.
  static Expected<Model> open(const std::string &path, const ModelOptions &options = {});

  /// Wraps a model table and weights in memory: for embedders that link the
  /// output of --emit=shared or --emit=object, and for tests. `weights` must be
  /// aligned to RLX_ALIGNMENT and at least table.weights_bytes long; table,
  /// weights and the code must outlive the model and its sessions, for which
  /// `owner` may be given. `manifest` is JSON text as in a model binary; empty
  /// stands for "{}".
  static Expected<Model> openTable(const rlx_model_t *table, Span<const uint8_t> weights,
                                   const std::string &manifest = "",
                                   const ModelOptions &options = {},
                                   std::shared_ptr<const void> owner = nullptr);

  /// The same, from the query function that a code object exports.
  static Expected<Model> openQuery(rlx_query_fn query, Span<const uint8_t> weights,
                                   const std::string &manifest = "",
                                   const ModelOptions &options = {},
                                   std::shared_ptr<const void> owner = nullptr);

  uint64_t vocabSize() const;
  uint64_t hiddenSize() const;
  /// Positions that the code supports: the upper bound of any session's context.
  uint64_t maxContext() const;
  /// Tokens that one step processes at most; longer prompts go in chunks.
  uint64_t maxChunk() const;
  /// Layers that own or read a KV cache slot, in the order of kv().
  uint32_t layerCount() const;
  /// The target of the code object in use, e.g. "x86-64-v4+vnni".
  const char *target() const;
  uint32_t defaultThreads() const;

  /// The static tables of the code object; valid as long as the model.
  const rlx_model_t &table() const;
  Span<const rlx_variant_t> variants() const;
  Span<const rlx_kv_slot_info_t> kvSlots() const;
  Span<const rlx_weight_t> weightTable() const;

  /// The manifest (model configuration, compile options, hashes): JSON text.
  const std::string &config() const;
  /// eos_token_ids of the manifest's model; generate() stops at them.
  Span<const int32_t> eosIds() const;

  bool hasSection(const std::string &entry) const;
  /// The bytes of one payload entry, e.g. "tokenizer.bin", in place; valid as
  /// long as the model. An entry that is absent is an InvalidArgument error.
  Expected<Span<const uint8_t>> section(const std::string &entry) const;

  /// The memory of a session with these options. Fails like Session::create
  /// where the options are not valid, but not for options.maxMemory.
  Expected<MemoryUse> memoryUse(const SessionOptions &options) const;

  /// Reads all weights and code and compares their hashes with the manifest's.
  /// Takes about a second per GB; open() checks sizes and the code only.
  Status verify() const;

  struct Impl;

private:
  friend class Session;
  const Impl &impl() const { return *shared; }
  explicit Model(std::shared_ptr<const Impl> impl) : shared(std::move(impl)) {}
  std::shared_ptr<const Impl> shared;
};

} // namespace rlx

#endif // RLX_RUNTIME_MODEL_H
