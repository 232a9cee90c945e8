//===- KernelHarness.h - Compiles and runs kernels in tests -----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lowers a module of kernels as the compiler does, loads the object and calls its
// functions on memory that ends at a guard page.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_KERNELS_KERNELHARNESS_H
#define RLX_TEST_UNIT_KERNELS_KERNELHARNESS_H

#include "ForeignProcess.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "rlx/Kernels/KernelLibrary.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <gtest/gtest.h>
#include <random>
#include <thread>

namespace rlx::test {

/// Memory whose last byte is followed by an inaccessible page, and filled with 0xff (NaN for every
/// float type) so that reading what nobody wrote shows. Under an emulator there is no guard page.
template <typename T> class Buffer {
public:
  explicit Buffer(size_t count);
  Buffer(const std::vector<T> &values) : Buffer(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  ~Buffer();
  Buffer(Buffer &&other) { *this = std::move(other); }
  Buffer &operator=(Buffer &&other) {
    std::swap(base, other.base), std::swap(mapped, other.mapped);
    std::swap(first, other.first), std::swap(count, other.count);
    return *this;
  }
  T *data() { return first; }
  const T *data() const { return first; }
  size_t size() const { return count; }
  T &operator[](size_t i) { return first[i]; }
  const T &operator[](size_t i) const { return first[i]; }
  std::vector<T> copy() const { return std::vector<T>(first, first + count); }

private:
  void *base = nullptr;
  size_t mapped = 0;
  T *first = nullptr;
  size_t count = 0;
};

void *mapGuarded(size_t bytes, size_t &mapped, void *&end);
void unmapGuarded(void *base, size_t mapped);

template <typename T> Buffer<T>::Buffer(size_t count) : count(count) {
  void *end;
  base = mapGuarded(count * sizeof(T), mapped, end);
  first = static_cast<T *>(end) - count;
  std::memset(static_cast<void *>(first), 0xff, count * sizeof(T));
}

template <typename T> Buffer<T>::~Buffer() {
  if (base)
    unmapGuarded(base, mapped);
}

/// A module of kernels for one target.
class KernelModule {
public:
  explicit KernelModule(const TargetDescription &target);

  KernelLibrary &kernels() { return *library; }
  mlir::ModuleOp module() { return *op; }
  const TargetDescription &getTarget() const { return target; }

  /// The object's bytes, or the error's text in `error`.
  llvm::SmallVector<char, 0> compile(std::string &error);
  /// Compiles and loads; fails the test on errors and on undefined symbols.
  void load();

  /// Calls a loaded kernel as thread `thread` of `threads`, for each thread: at the same time, or
  /// one after the other where the kernel runs in an emulator.
  template <typename... Args> void run(mlir::func::FuncOp kernel, int64_t threads, Args... args) {
    run(kernel.getName(), threads, args...);
  }
  template <typename... Args> void run(llvm::StringRef name, int64_t threads, Args... args) {
    if (foreign) {
      for (int64_t thread = 0; thread < threads; ++thread)
        ASSERT_TRUE(foreign->call(name, {uint64_t(args)..., uint64_t(thread), uint64_t(threads)}))
            << "the emulated process died";
      return;
    }
    auto *kernel = llvm::cantFail(jit->lookup(name)).toPtr<void (*)(Args..., int64_t, int64_t)>();
    std::vector<std::thread> others;
    for (int64_t thread = 1; thread < threads; ++thread)
      others.emplace_back(kernel, args..., thread, threads);
    kernel(args..., 0, threads);
    for (std::thread &other : others)
      other.join();
  }

private:
  TargetDescription target;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> op;
  std::unique_ptr<KernelLibrary> library;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::unique_ptr<ForeignProcess> foreign; ///< instead of jit for another architecture
};

std::vector<std::string> undefinedSymbols(llvm::ArrayRef<char> object);

/// Targets of the tests that this machine can run; always at least "native".
std::vector<std::string> runnableTargets();
std::vector<std::string> nativeAndBaseline();
/// Resolves a name of runnableTargets(). "generic" is x86-64-v3 or aarch64 without any dot product
/// instruction.
TargetDescription testTarget(const std::string &name);

/// Whether kernels for `target` run under an emulator.
bool isForeign(const TargetDescription &target);

/// A test for each runnable target.
class KernelTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override { SharedArena::get().setActive(isForeign(target())); }
  void TearDown() override { SharedArena::get().setActive(false); }
  TargetDescription target() const { return testTarget(GetParam()); }
};

std::string targetTestName(const testing::TestParamInfo<std::string> &info);

/// Instantiates a suite for every way of multiplying integers, or only for "native" and the
/// baseline, which differ in the width of vectors.
#define RLX_INSTANTIATE_KERNEL_TEST(Suite, targets)                                                \
  INSTANTIATE_TEST_SUITE_P(Targets, Suite, testing::ValuesIn(targets), rlx::test::targetTestName)

/// Seeded normal numbers.
std::vector<float> randomFloats(size_t count, uint32_t seed, float deviation = 1.0f);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_KERNELS_KERNELHARNESS_H
