//===- ForeignProcess.h - Runs kernels under qemu-user ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A process of another architecture that shares the test's memory, at the same
// addresses, and calls kernels in it.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_KERNELS_FOREIGNPROCESS_H
#define RLX_TEST_UNIT_KERNELS_FOREIGNPROCESS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rlx::test {

/// Memory that a foreign process sees, too. Buffers come from it while one is wanted.
class SharedArena {
public:
  static SharedArena &get();
  void setActive(bool value);
  bool isActive() const { return active; }
  /// Memory that ends at a page's end; freed by the next setActive.
  void *allocate(size_t bytes);
  int descriptor() const { return fd; }

  static constexpr uint64_t kAddress = 0x200000000000;
  static constexpr uint64_t kBytes = 64 << 20;

private:
  bool active = false;
  int fd = -1;
  size_t used = 0;
};

/// Whether a cross compiler and an emulator for AArch64 were found at configuration.
bool canRunAArch64();

class ForeignProcess {
public:
  ~ForeignProcess();
  /// Links `object` with the runner and starts it; on failure returns the reason.
  std::string start(llvm::ArrayRef<char> object, const std::vector<std::string> &functions);
  /// Calls a function; false if the process died.
  bool call(llvm::StringRef function, llvm::ArrayRef<uint64_t> args);

private:
  std::map<std::string, uint64_t> numbers;
  std::string executable;
  int pid = -1, toChild = -1, fromChild = -1;
};

} // namespace rlx::test

#endif // RLX_TEST_UNIT_KERNELS_FOREIGNPROCESS_H
