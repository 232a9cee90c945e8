//===- Console.h - What rlx-compile tells its user --------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Notes, the progress bar of a terminal, and times of phases, on standard error.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_CONSOLE_H
#define RLX_LIB_DRIVER_CONSOLE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace rlx {

/// All methods may be called from any thread.
class Console {
public:
  explicit Console(bool verbose);
  ~Console();

  void note(const llvm::Twine &text);
  /// A note with -v, otherwise nothing.
  void detail(const llvm::Twine &text);

  /// Names the work under way; with -v its time is printed when the next starts.
  void startPhase(llvm::StringRef name);
  void endPhase();
  /// What the work under way made; with -v it is printed beside its time.
  void setOutcome(const llvm::Twine &text);
  /// How much of the weights has been packed.
  void setPacked(uint64_t done, uint64_t total);
  /// Removes the bar and prints lines of text.
  void summarize(const std::string &text);

  double seconds() const;

private:
  void clearBar();
  void drawBar();
  void endPhaseLocked();

  using Clock = std::chrono::steady_clock;
  std::mutex mutex;
  bool verbose, terminal, barVisible = false;
  Clock::time_point start = Clock::now(), phaseStart, lastDrawn;
  std::string phase, outcome;
  uint64_t packed = 0, toPack = 0;
};

/// "1.5 GiB", for people.
std::string formatBytes(uint64_t bytes);

} // namespace rlx

#endif // RLX_LIB_DRIVER_CONSOLE_H
