//===-- trace_json.cpp - timelines for trace viewers -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Writes events one by one, so that a long trace is never held twice.
//===----------------------------------------------------------------------===//
#include "trace_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace rlx::cli {

using nlohmann::ordered_json;

namespace {
class TraceWriter {
public:
  TraceWriter(OutputFile &file, const StepTrace &trace, const Model &model)
      : file(file), trace(trace), model(model) {}

  Status write(const std::string &name);

private:
  void metadata(const char *kind, size_t thread, const std::string &name);
  void slice(size_t thread, const TraceSlice &slice, const std::string &name, const char *category,
             const ordered_json &args);
  void writeStep(const TraceStep &step);
  void writeStage(const TraceStep &step, size_t thread, const TraceSlice &slice);
  void event(const std::string &text);
  std::string microseconds(uint64_t nanoseconds) const;

  OutputFile &file;
  const StepTrace &trace;
  const Model &model;
  uint64_t origin = 0;
  std::string buffer;
  const char *separator = "\n";
  Status status;
};
} // namespace

static std::string quoted(const std::string &text) {
  return ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void TraceWriter::event(const std::string &text) {
  buffer += separator + text;
  separator = ",\n";
  if (buffer.size() < 65536 || !status.ok())
    return;
  status = file.write(buffer);
  buffer.clear();
}

/// Exact: a microsecond has three digits behind its point.
std::string TraceWriter::microseconds(uint64_t nanoseconds) const {
  char text[32];
  std::snprintf(text, sizeof(text), "%llu.%03llu",
                static_cast<unsigned long long>(nanoseconds / 1000),
                static_cast<unsigned long long>(nanoseconds % 1000));
  return text;
}

void TraceWriter::metadata(const char *kind, size_t thread, const std::string &name) {
  event(std::string(R"({"ph":"M","pid":1,"tid":)") + std::to_string(thread) + R"(,"name":")" +
        kind + R"(","args":{"name":)" + quoted(name) + "}}");
}

void TraceWriter::slice(size_t thread, const TraceSlice &slice, const std::string &name,
                        const char *category, const ordered_json &args) {
  event(R"({"ph":"X","pid":1,"tid":)" + std::to_string(thread) + ",\"ts\":" +
        microseconds(slice.begin - origin) + ",\"dur\":" + microseconds(slice.end - slice.begin) +
        ",\"name\":" + quoted(name) + ",\"cat\":" + quoted(category) +
        ",\"args\":" + args.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "}");
}

void TraceWriter::writeStage(const TraceStep &step, size_t thread, const TraceSlice &part) {
  if (part.stage >= step.variant->stage_count)
    return slice(thread, part, "wait", "wait", ordered_json::object());
  const rlx_stage_t &stage = step.variant->stages[part.stage];
  ordered_json args = {{"stage", part.stage}, {"rows", step.rowsOf(stage)}};
  if (stage.layer != RLX_NO_INDEX)
    args["layer"] = stage.layer;
  if (uint64_t bytes = step.bytes(stage, model.kvSlots()))
    args["bytes"] = bytes;
  if (uint64_t operations = step.operations(stage, model.kvSlots()))
    args["operations"] = operations;
  slice(thread, part, stage.name, stage.kind, args);
}

void TraceWriter::writeStep(const TraceStep &step) {
  const char *role = step.variant->role == RLX_ROLE_DECODE ? "decode" : "prefill";
  for (size_t thread = 0; thread < step.threads.size(); ++thread) {
    const std::vector<TraceSlice> &slices = step.threads[thread];
    TraceSlice whole;
    whole.begin = thread == 0 || slices.empty() ? step.begin : slices.front().begin;
    whole.end = thread == 0 || slices.empty() ? step.end : slices.back().end;
    slice(thread, whole,
          std::string(role) + " " + std::to_string(step.seq) + " at " + std::to_string(step.past),
          "step",
          {{"variant", step.variant->name},
           {"seq", step.seq},
           {"past", step.past},
           {"outputs", step.outCount}});
    for (const TraceSlice &part : slices)
      writeStage(step, thread, part);
  }
}

Status TraceWriter::write(const std::string &name) {
  buffer = R"({"displayTimeUnit":"ns","otherData":{"model":)" + quoted(name) +
           ",\"target\":" + quoted(model.target()) + "},\"traceEvents\":[";
  metadata("process_name", 0, name + ", " + model.target());
  size_t threads = trace.steps().empty() ? 0 : trace.steps().front().threads.size();
  for (size_t thread = 0; thread < threads; ++thread)
    metadata("thread_name", thread, "thread " + std::to_string(thread));
  if (!trace.steps().empty())
    origin = trace.steps().front().begin;
  for (const TraceStep &step : trace.steps())
    writeStep(step);
  buffer += "\n]}\n";
  return status.ok() ? file.write(buffer) : status;
}

Status writeTrace(OutputFile &file, const StepTrace &trace, const Model &model,
                  const std::string &name) {
  return TraceWriter(file, trace, model).write(name);
}

} // namespace rlx::cli
