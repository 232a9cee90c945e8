//===- KernelBuilder.h - Shorthand for emitting kernel code -----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op builder that speaks in addresses, vectors and loops, so that a kernel's
// emitter reads like the loop nest it produces.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_KERNELBUILDER_H
#define RLX_LIB_KERNELS_KERNELBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "rlx/Kernels/KernelSpecs.h"

namespace rlx {

/// Rows of a panel, and lanes of the vectors that kernels compute with.
constexpr int64_t kLanes = 16;

/// Rows of a tile of the matrix unit, and bf16 in each.
constexpr int64_t kTileRows = 16, kTileDepth = 32;
constexpr int64_t kTileRowBytes = 64, kTileBytes = kTileRows * kTileRowBytes;

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// A half-open range of index values.
struct IndexRange {
  mlir::Value begin, end;
};

class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;
  using VectorType = mlir::VectorType;
  using Values = llvm::SmallVector<mlir::Value>;

  KernelBuilder(mlir::func::FuncOp function, const TargetDescription &target);

  const TargetDescription &getTarget() const { return target; }
  /// Operand i of the kernel.
  Value arg(unsigned i) { return function.getArgument(i); }

  //===-- Types and constants ---------------------------------------------===//
  Type f32() { return getF32Type(); }
  Type i32() { return getI32Type(); }
  VectorType vec(Type element, int64_t lanes = kLanes) { return VectorType::get(lanes, element); }
  /// vector<lanes x f32>
  VectorType vf(int64_t lanes = kLanes) { return vec(f32(), lanes); }
  Value index(int64_t value);
  /// A constant of a float or integer type, or a splat of a vector of those.
  Value constant(Type type, double value);
  Value constantInt(Type type, int64_t value);

  //===-- Index arithmetic ------------------------------------------------===//
  Value add(Value a, Value b) { return createOrFold<mlir::arith::AddIOp>(a, b); }
  Value add(Value a, int64_t b) { return add(a, index(b)); }
  Value sub(Value a, Value b) { return createOrFold<mlir::arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) { return createOrFold<mlir::arith::MulIOp>(a, b); }
  Value mul(Value a, int64_t b) { return mul(a, index(b)); }
  Value div(Value a, Value b) { return createOrFold<mlir::arith::DivUIOp>(a, b); }
  Value div(Value a, int64_t b) { return div(a, index(b)); }
  Value rem(Value a, Value b) { return createOrFold<mlir::arith::RemUIOp>(a, b); }
  Value rem(Value a, int64_t b) { return rem(a, index(b)); }
  Value min(Value a, Value b) { return createOrFold<mlir::arith::MinUIOp>(a, b); }
  Value max(Value a, Value b) { return createOrFold<mlir::arith::MaxUIOp>(a, b); }
  Value toI64(Value index);
  Value toIndex(Value integer);

  //===-- Memory ----------------------------------------------------------===//
  /// pointer + index * bytes + offset
  Value at(Value pointer, Value index, int64_t bytes, int64_t offset = 0);
  Value at(Value pointer, int64_t offset);
  Value load(Type type, Value pointer, int64_t offset = 0);
  void store(Value value, Value pointer, int64_t offset = 0);
  /// Loads a scalar and repeats it in every lane.
  Value loadSplat(VectorType type, Value pointer, int64_t offset = 0);
  /// Asks for the cache lines of [pointer, pointer + bytes), which may lie outside any mapping:
  /// into the nearest cache, or the one behind it.
  void prefetch(Value pointer, int64_t bytes, bool nearest = true);
  /// Stack memory of the kernel, 64-byte aligned.
  Value stack(int64_t bytes);

  //===-- Vectors ---------------------------------------------------------===//
  Value splat(Value scalar, VectorType type);
  Value bitcast(Value value, Type type);
  /// Lanes [first, first + count) of a vector.
  Value slice(Value vector, int64_t first, int64_t count);
  /// The concatenation of two vectors of one type.
  Value concat(Value low, Value high);
  Value shuffle(Value vector, llvm::ArrayRef<int64_t> lanes);
  /// Lane `lane` as a scalar.
  Value lane(Value vector, int64_t lane);

  //===-- Floating point --------------------------------------------------===//
  Value addf(Value a, Value b) { return mlir::arith::AddFOp::create(*this, a, b); }
  Value subf(Value a, Value b) { return mlir::arith::SubFOp::create(*this, a, b); }
  Value mulf(Value a, Value b) { return mlir::arith::MulFOp::create(*this, a, b); }
  Value divf(Value a, Value b) { return mlir::arith::DivFOp::create(*this, a, b); }
  Value negf(Value a) { return mlir::arith::NegFOp::create(*this, a); }
  Value fma(Value a, Value b, Value c) { return mlir::math::FmaOp::create(*this, a, b, c); }
  /// The greater operand; b where one is NaN.
  Value maxf(Value a, Value b);
  Value minf(Value a, Value b);
  /// llvm.call_intrinsic with operands and result of the types given.
  Value intrinsic(llvm::StringRef name, Type result, mlir::ValueRange operands);
  void intrinsic(llvm::StringRef name, mlir::ValueRange operands);

  //===-- Control flow ----------------------------------------------------===//
  void forEach(Value begin, Value end, int64_t step, llvm::function_ref<void(Value)> body) {
    forEach(begin, end, index(step), body);
  }
  void forEach(Value begin, Value end, Value step, llvm::function_ref<void(Value)> body);
  /// A loop that carries at least one value.
  Values forEach(Value begin, Value end, int64_t step, mlir::ValueRange inits,
                 llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
  void ifElse(Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise);
  Value equal(Value a, Value b);
  Value less(Value a, Value b);

  //===-- Work ------------------------------------------------------------===//
  /// The share of `work` items that belongs to this thread.
  IndexRange share(Value work);
  Value threads() { return arg(function.getNumArguments() - 1); }
  /// Calls body(range) for the parts of [0, work) that this thread claims: each goes to the first
  /// thread that asks for one. All threads together claim half of what is left: long parts first,
  /// short ones at the end, but none shorter than `least` items. `counter` points to an i64 that is
  /// 0 before any thread calls.
  void forClaimedRanges(Value counter, Value work, int64_t least,
                        llvm::function_ref<void(IndexRange)> body);
  /// The same for `work` items of each block of rows, all of a block before the next one's: calls
  /// body(items, rows of the block).
  void forClaimedBlocks(Value counter, Value rows, Value block, int64_t work, int64_t least,
                        llvm::function_ref<void(IndexRange, IndexRange)> body);
  /// Calls body(item) for the items of [0, work) that this thread claims, one after another.
  /// `counter` as above.
  void forClaimed(Value counter, Value work, llvm::function_ref<void(Value)> body);
  /// Calls body(row) for this thread's share of rows.
  void forRows(Value rows, llvm::function_ref<void(Value)> body);
  /// Calls body(row, column, lanes) for vectors that cover rows x columns. Both dimensions are
  /// shared among threads.
  void forTiles(Value rows, int64_t columns, llvm::function_ref<void(Value, Value, int64_t)> body);
  /// Calls body(column, lanes) for vectors that cover [0, columns).
  void forColumns(int64_t columns, llvm::function_ref<void(Value, int64_t)> body);

private:
  /// Takes `count` items from a counter; returns the first.
  Value claim(Value counter, Value count);

  mlir::func::FuncOp function;
  const TargetDescription &target;
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_KERNELBUILDER_H
