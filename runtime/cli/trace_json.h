//===-- trace_json.h - timelines for trace viewers -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Recorded steps in the Trace Event Format, which Perfetto and Chrome open.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_TRACE_JSON_H
#define RLX_RUNTIME_CLI_TRACE_JSON_H

#include "output_file.h"
#include "rlx/runtime/model.h"
#include "rlx/runtime/trace.h"

namespace rlx::cli {

/// Writes one track for each thread. Its slices are the steps, within each step one
/// slice for each stage and one for each wait at a barrier. Times are in microseconds
/// since the first step began.
Status writeTrace(OutputFile &file, const StepTrace &trace, const Model &model,
                  const std::string &name);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_TRACE_JSON_H
