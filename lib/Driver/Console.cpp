//===- Console.cpp - What rlx-compile tells its user ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A bar is drawn only on a terminal, at most ten times a second.
//===----------------------------------------------------------------------===//
#include "Console.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace rlx;

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string rlx::formatBytes(uint64_t bytes) {
  const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  unsigned unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  return llvm::formatv(unit == 0 ? "{0:f0} {1}" : "{0:f1} {1}", value, units[unit]).str();
}

Console::Console(bool verbose)
    : verbose(verbose), terminal(llvm::sys::Process::StandardErrIsDisplayed()) {}

Console::~Console() {
  std::lock_guard<std::mutex> lock(mutex);
  clearBar();
}

double Console::seconds() const { return secondsSince(start); }

void Console::clearBar() {
  if (barVisible)
    llvm::errs() << "\r\033[K";
  barVisible = false;
}

void Console::drawBar() {
  if (!terminal || phase.empty() || (barVisible && secondsSince(lastDrawn) < 0.1))
    return;
  constexpr uint64_t width = 30;
  uint64_t filled = toPack ? packed * width / toPack : 0;
  llvm::errs() << "\r\033[K[" << std::string(filled, '=') << std::string(width - filled, ' ')
               << "] " << phase;
  if (toPack)
    llvm::errs() << ", weights " << formatBytes(packed) << " of " << formatBytes(toPack);
  barVisible = true;
  lastDrawn = std::chrono::steady_clock::now();
}

void Console::note(const llvm::Twine &text) {
  std::lock_guard<std::mutex> lock(mutex);
  clearBar();
  llvm::errs() << "note: " << text << "\n";
}

void Console::detail(const llvm::Twine &text) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!verbose)
    return;
  clearBar();
  llvm::errs() << text << "\n";
}

void Console::endPhaseLocked() {
  if (verbose && !phase.empty()) {
    clearBar();
    llvm::errs() << llvm::formatv("{0,-24} {1,8:f3} s{2}{3}\n", phase, secondsSince(phaseStart),
                                  outcome.empty() ? "" : "  ", outcome);
  }
  phase.clear();
  outcome.clear();
}

void Console::endPhase() {
  std::lock_guard<std::mutex> lock(mutex);
  endPhaseLocked();
}

void Console::setOutcome(const llvm::Twine &text) {
  std::lock_guard<std::mutex> lock(mutex);
  outcome = text.str();
}

void Console::startPhase(llvm::StringRef name) {
  std::lock_guard<std::mutex> lock(mutex);
  endPhaseLocked();
  phase = name.str();
  phaseStart = Clock::now();
  drawBar();
}

void Console::setPacked(uint64_t done, uint64_t total) {
  std::lock_guard<std::mutex> lock(mutex);
  packed = done;
  toPack = total;
  drawBar();
}

void Console::summarize(const std::string &text) {
  std::lock_guard<std::mutex> lock(mutex);
  endPhaseLocked();
  clearBar();
  llvm::errs() << text;
}
