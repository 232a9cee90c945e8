//===-- stop_filter.h - strings that end a reply -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Passes text on until one of the stop strings occurs, holding back what could
// be the start of one.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_STOP_FILTER_H
#define RLX_RUNTIME_CLI_STOP_FILTER_H

#include <string>
#include <string_view>
#include <vector>

namespace rlx::cli {

class StopFilter {
public:
  explicit StopFilter(std::vector<std::string> stops) : stops(std::move(stops)) {}

  /// Appends to `out` what may be shown of the text so far. True once a stop
  /// string is complete: neither it nor anything behind it is shown.
  bool push(std::string_view text, std::string &out);
  /// The reply has ended otherwise: shows what was held back.
  void finish(std::string &out);

private:
  std::vector<std::string> stops;
  std::string pending;
  bool stopped = false;
};

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_STOP_FILTER_H
