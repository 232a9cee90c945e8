//===-- stop_filter.cpp - strings that end a reply -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Finds the earliest stop string, also across the pieces of a text.
//===----------------------------------------------------------------------===//
#include "stop_filter.h"

#include <algorithm>

namespace rlx::cli {

/// Bytes at the end of `text` that are the start of `stop`, but not all of it.
static size_t partialMatch(std::string_view text, std::string_view stop) {
  for (size_t bytes = std::min(text.size(), stop.size() - 1); bytes > 0; --bytes)
    if (text.substr(text.size() - bytes) == stop.substr(0, bytes))
      return bytes;
  return 0;
}

bool StopFilter::push(std::string_view text, std::string &out) {
  if (stopped)
    return true;
  pending += text;
  // The stop string that is complete first counts, so that the result does not
  // depend on how the text is cut into pieces.
  size_t end = pending.npos, begin = 0, held = 0;
  for (const std::string &stop : stops) {
    size_t at = pending.find(stop);
    if (at != pending.npos && std::pair(at + stop.size(), at) < std::pair(end, begin)) {
      begin = at;
      end = at + stop.size();
    }
    held = std::max(held, partialMatch(pending, stop));
  }
  stopped = end != pending.npos;
  size_t shown = stopped ? begin : pending.size() - held;
  out.append(pending, 0, shown);
  pending.erase(0, shown);
  return stopped;
}

void StopFilter::finish(std::string &out) {
  if (!stopped)
    out += pending;
  pending.clear();
}

} // namespace rlx::cli
