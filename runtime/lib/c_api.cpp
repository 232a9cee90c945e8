//===-- runtime/lib/c_api.cpp - C API -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements rlx.h on top of Model and Session.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/rlx.h"

#include "memory.h"

#include "rlx/runtime/session.h"

#include <algorithm>
#include <cstring>

struct rlx_program {
  rlx::Model model;
};

struct rlx_session {
  rlx::Session session;
};

static_assert(int(rlx::ErrorCode::BadLogits) == RLX_BAD_LOGITS, "the codes are the same");
static_assert(int(rlx::StopReason::ContextFull) == RLX_STOP_CONTEXT_FULL, "the same");
static_assert(int(rlx::Screening::On) == RLX_SCREENING_ON, "the same");
static_assert(int(rlx::Speculation::Draft) == RLX_SPECULATION_DRAFT, "the same");
static_assert(int(rlx::OverflowPolicy::Stop) == RLX_OVERFLOW_STOP, "the same");

namespace {

// Fixed memory: reporting an error must not fail.
thread_local char lastError[1024];

rlx_status_t report(const rlx::Status &status) {
  if (status.ok())
    return RLX_OK;
  size_t length = std::min(status.message().size(), sizeof(lastError) - 1);
  std::memcpy(lastError, status.message().data(), length);
  lastError[length] = '\0';
  return static_cast<rlx_status_t>(status.code());
}

rlx::Status nullPointer(const char *what) {
  return rlx::Status(rlx::ErrorCode::InvalidArgument,
                     std::string("expected ") + what + " but got a null pointer");
}

/// Runs a call's body once the pointers it needs are known to be there.
template <typename Body>
rlx_status_t call(std::initializer_list<std::pair<const void *, const char *>> required,
                  Body body) {
  return report(rlx::guarded([&]() -> rlx::Status {
    for (auto [pointer, what] : required)
      if (!pointer)
        return nullPointer(what);
    return body();
  }));
}

/// The caller's options, or the defaults; a struct of another version is refused.
template <typename Options>
rlx::Status readOptions(const Options *given, void (*init)(Options *), Options &out) {
  init(&out);
  if (!given)
    return rlx::Status();
  if (given->struct_size != sizeof(Options))
    return rlx::Status(rlx::ErrorCode::InvalidArgument,
                       "expected options with struct_size " + std::to_string(sizeof(Options)) +
                           " but got " + std::to_string(given->struct_size) +
                           "; call the matching _init function first");
  out = *given;
  return rlx::Status();
}

rlx::Status readProgramOptions(const rlx_program_options_t *given, rlx::ModelOptions &out) {
  rlx_program_options_t options;
  if (rlx::Status status = readOptions(given, rlx_program_options_init, options); !status.ok())
    return status;
  out.threads = options.threads;
  out.target = options.target ? options.target : "";
  return rlx::Status();
}

rlx::Status store(rlx::Expected<rlx::Model> model, rlx_program_t **program) {
  if (!model)
    return model.status();
  *program = new rlx_program{std::move(*model)};
  return rlx::Status();
}

rlx::LogitsCallback logitsCallback(rlx_logits_fn fn, void *context) {
  return [fn, context](uint64_t index, rlx::Span<const float> row) {
    return fn(context, index, row.data(), row.size());
  };
}

rlx::Status readGenerateOptions(const rlx_generate_options_t *given, rlx::GenerateOptions &out,
                                rlx::TokenCallback &callback) {
  rlx_generate_options_t options;
  if (rlx::Status status = readOptions(given, rlx_generate_options_init, options); !status.ok())
    return status;
  if (options.stop_id_count && !options.stop_ids)
    return nullPointer("stop_ids");
  out.maxTokens = options.max_tokens;
  if (options.stop_id_count)
    out.stopIds.assign(options.stop_ids, options.stop_ids + options.stop_id_count);
  out.ignoreEos = options.ignore_eos;
  out.speculation = static_cast<rlx::Speculation>(options.speculation);
  out.draftMax = options.draft_max;
  out.screening = static_cast<rlx::Screening>(options.screening);
  out.leaveLast = options.leave_last;
  out.draft = options.draft ? &options.draft->session : nullptr;
  if (options.replay_count && !options.replay)
    return nullPointer("replay");
  if (options.replay_count)
    out.replay.assign(options.replay, options.replay + options.replay_count);
  if (options.callback)
    callback = [options](int32_t token) { return options.callback(options.context, token); };
  return rlx::Status();
}

rlx::Status storeResult(const rlx::Expected<rlx::GenerateResult> &result,
                        const rlx_generate_options_t *options, rlx_stop_reason_t *reason) {
  if (result && reason)
    *reason = static_cast<rlx_stop_reason_t>(result->reason);
  if (result && options && options->stats) {
    const rlx::SpeculationStats &stats = result->speculation;
    *options->stats = {stats.steps, stats.drafted, stats.accepted};
  }
  return result.status();
}

} // namespace

const char *rlx_last_error(void) { return lastError; }

void rlx_program_options_init(rlx_program_options_t *options) {
  *options = {};
  options->struct_size = sizeof(*options);
}

void rlx_session_options_init(rlx_session_options_t *options) {
  *options = {};
  options->struct_size = sizeof(*options);
}

void rlx_sampling_init(rlx_sampling_t *sampling) {
  const rlx::SamplingOptions defaults;
  *sampling = {sizeof(*sampling),
               defaults.temperature,
               defaults.topP,
               defaults.minP,
               defaults.repetitionPenalty,
               defaults.topK,
               defaults.repetitionWindow,
               defaults.seed};
}

void rlx_generate_options_init(rlx_generate_options_t *options) {
  *options = {};
  options->struct_size = sizeof(*options);
  options->max_tokens = rlx::GenerateOptions().maxTokens;
  options->draft_max = rlx::GenerateOptions().draftMax;
}

rlx_status_t rlx_program_open(const char *path, const rlx_program_options_t *options,
                              rlx_program_t **program) {
  return call({{path, "a path"}, {program, "a place for the program"}}, [&]() -> rlx::Status {
    rlx::ModelOptions modelOptions;
    if (rlx::Status status = readProgramOptions(options, modelOptions); !status.ok())
      return status;
    return store(rlx::Model::open(path, modelOptions), program);
  });
}

rlx_status_t rlx_program_open_query(rlx_query_fn query, const void *weights, size_t weightsBytes,
                                    const char *manifest, const rlx_program_options_t *options,
                                    rlx_program_t **program) {
  return call({{program, "a place for the program"}}, [&]() -> rlx::Status {
    rlx::ModelOptions modelOptions;
    if (rlx::Status status = readProgramOptions(options, modelOptions); !status.ok())
      return status;
    rlx::Span<const uint8_t> bytes(static_cast<const uint8_t *>(weights), weightsBytes);
    return store(rlx::Model::openQuery(query, bytes, manifest ? manifest : "", modelOptions),
                 program);
  });
}

void rlx_program_close(rlx_program_t *program) { delete program; }

const rlx_model_t *rlx_program_table(const rlx_program_t *program) {
  return program ? &program->model.table() : nullptr;
}

const char *rlx_program_config(const rlx_program_t *program) {
  return program ? program->model.config().c_str() : nullptr;
}

size_t rlx_program_eos_ids(const rlx_program_t *program, const int32_t **ids) {
  if (!program)
    return 0;
  if (ids)
    *ids = program->model.eosIds().data();
  return program->model.eosIds().size();
}

rlx_status_t rlx_session_create(const rlx_program_t *program, const rlx_session_options_t *given,
                                rlx_session_t **session) {
  return call({{program, "a program"}, {session, "a place for the session"}}, [&]() -> rlx::Status {
    rlx_session_options_t options;
    if (rlx::Status status = readOptions(given, rlx_session_options_init, options); !status.ok())
      return status;
    rlx::SessionOptions sessionOptions;
    sessionOptions.maxContext = options.max_context;
    sessionOptions.overflow = static_cast<rlx::OverflowPolicy>(options.overflow);
    sessionOptions.threads = options.threads;
    sessionOptions.maxMemory = options.max_memory;
    sessionOptions.variant = options.variant ? options.variant : "";
    sessionOptions.chunk = options.chunk;
    sessionOptions.guardPages = options.guard_pages;
    rlx::Expected<rlx::Session> created = rlx::Session::create(program->model, sessionOptions);
    if (!created)
      return created.status();
    *session = new rlx_session{std::move(*created)};
    return rlx::Status();
  });
}

void rlx_session_destroy(rlx_session_t *session) { delete session; }

rlx_status_t rlx_session_prefill(rlx_session_t *session, const int32_t *ids, size_t count) {
  return call({{session, "a session"}, {ids, "token ids"}},
              [&] { return session->session.prefill({ids, count}); });
}

rlx_status_t rlx_session_prefill_all(rlx_session_t *session, const int32_t *ids, size_t count,
                                     rlx_logits_fn fn, void *context) {
  return call(
      {{session, "a session"},
       {ids, "token ids"},
       {reinterpret_cast<const void *>(fn), "a callback"}},
      [&] { return session->session.prefillAll({ids, count}, logitsCallback(fn, context)); });
}

rlx_status_t rlx_session_step(rlx_session_t *session, int32_t *token) {
  return call({{session, "a session"}, {token, "a place for the token"}}, [&]() -> rlx::Status {
    rlx::Expected<int32_t> sampled = session->session.step();
    if (sampled)
      *token = *sampled;
    return sampled.status();
  });
}

rlx_status_t rlx_session_step_forced(rlx_session_t *session, int32_t token) {
  return call({{session, "a session"}},
              [&] { return session->session.stepForced(token).status(); });
}

rlx_status_t rlx_session_sample(rlx_session_t *session, int32_t *token) {
  return call({{session, "a session"}, {token, "a place for the token"}}, [&]() -> rlx::Status {
    rlx::Expected<int32_t> sampled = session->session.sample();
    if (sampled)
      *token = *sampled;
    return sampled.status();
  });
}

rlx_status_t rlx_session_generate(rlx_session_t *session, const rlx_generate_options_t *given,
                                  rlx_stop_reason_t *reason) {
  return call({{session, "a session"}}, [&]() -> rlx::Status {
    rlx::GenerateOptions options;
    rlx::TokenCallback callback;
    if (rlx::Status status = readGenerateOptions(given, options, callback); !status.ok())
      return status;
    return storeResult(session->session.generate(options, callback), given, reason);
  });
}

rlx_status_t rlx_session_generate_naive(rlx_session_t *session, const int32_t *prompt, size_t count,
                                        const rlx_generate_options_t *given,
                                        rlx_stop_reason_t *reason) {
  return call({{session, "a session"}, {prompt, "a prompt"}}, [&]() -> rlx::Status {
    rlx::GenerateOptions options;
    rlx::TokenCallback callback;
    if (rlx::Status status = readGenerateOptions(given, options, callback); !status.ok())
      return status;
    return storeResult(session->session.generateNaive({prompt, count}, options, callback), given,
                       reason);
  });
}

rlx_status_t rlx_session_forward(rlx_session_t *session, const int32_t *ids, size_t count,
                                 rlx_logits_fn fn, void *context) {
  return call({{session, "a session"},
               {ids, "token ids"},
               {reinterpret_cast<const void *>(fn), "a callback"}},
              [&] { return session->session.forward({ids, count}, logitsCallback(fn, context)); });
}

rlx_status_t rlx_session_logits(const rlx_session_t *session, const float **logits) {
  return call({{session, "a session"}, {logits, "a place for the logits"}}, [&]() -> rlx::Status {
    rlx::Expected<rlx::Span<const float>> row = session->session.logits();
    if (row)
      *logits = row->data();
    return row.status();
  });
}

rlx_status_t rlx_session_hidden(const rlx_session_t *session, const float **hidden) {
  return call({{session, "a session"}, {hidden, "a place for the state"}}, [&]() -> rlx::Status {
    rlx::Expected<rlx::Span<const float>> row = session->session.hidden();
    if (row)
      *hidden = row->data();
    return row.status();
  });
}

rlx_status_t rlx_session_rewind(rlx_session_t *session, uint64_t position) {
  return call({{session, "a session"}}, [&] { return session->session.rewind(position); });
}

rlx_status_t rlx_session_clear(rlx_session_t *session) {
  return call({{session, "a session"}}, [&] { return session->session.clear(); });
}

uint64_t rlx_session_past_len(const rlx_session_t *session) {
  return session ? session->session.pastLen() : 0;
}

size_t rlx_session_tokens(const rlx_session_t *session, const int32_t **ids) {
  if (!session)
    return 0;
  if (ids)
    *ids = session->session.tokens().data();
  return session->session.tokens().size();
}

uint64_t rlx_session_max_context(const rlx_session_t *session) {
  return session ? session->session.maxContext() : 0;
}

rlx_status_t rlx_session_kv(const rlx_session_t *session, uint32_t layer, uint64_t position,
                            float *k, float *v, size_t capacity, size_t *floats) {
  return call({{session, "a session"}}, [&]() -> rlx::Status {
    rlx::Expected<rlx::KVRows> rows = session->session.kv(layer, position);
    if (!rows)
      return rows.status();
    if (floats)
      *floats = rows->k.size();
    if ((k || v) && capacity < rows->k.size())
      return rlx::Status(rlx::ErrorCode::InvalidArgument,
                         "kv: expected room for " + std::to_string(rows->k.size()) +
                             " floats but got " + std::to_string(capacity));
    if (k)
      std::copy(rows->k.begin(), rows->k.end(), k);
    if (v)
      std::copy(rows->v.begin(), rows->v.end(), v);
    return rlx::Status();
  });
}

rlx_status_t rlx_session_set_sampling(rlx_session_t *session, const rlx_sampling_t *sampling) {
  return call({{session, "a session"}, {sampling, "sampling options"}}, [&]() -> rlx::Status {
    rlx_sampling_t given;
    if (rlx::Status status = readOptions(sampling, rlx_sampling_init, given); !status.ok())
      return status;
    rlx::SamplingOptions options;
    options.temperature = given.temperature;
    options.topK = given.top_k;
    options.topP = given.top_p;
    options.minP = given.min_p;
    options.repetitionPenalty = given.repetition_penalty;
    options.repetitionWindow = given.repetition_window;
    options.seed = given.seed;
    return session->session.setSampling(options);
  });
}

rlx_status_t rlx_session_set_variant(rlx_session_t *session, const char *name) {
  return call({{session, "a session"}},
              [&] { return session->session.setVariant(name ? name : ""); });
}

const char *rlx_session_last_variant(const rlx_session_t *session) {
  if (!session)
    return "";
  // The table's own text, which outlives the call.
  for (const rlx_variant_t &variant : session->session.model().variants())
    if (session->session.lastVariant() == variant.name)
      return variant.name;
  return "";
}

rlx_status_t rlx_session_memory(const rlx_session_t *session, rlx_memory_t *memory) {
  return call({{session, "a session"}, {memory, "a place for the figures"}}, [&] {
    rlx::MemoryUse use = session->session.memoryUse();
    *memory = {use.weights, use.kvCache, use.workspace};
    return rlx::Status();
  });
}
