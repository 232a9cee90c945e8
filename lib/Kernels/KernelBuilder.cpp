//===- KernelBuilder.cpp - Shorthand for emitting kernel code -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each member emits one to a few ops; what needs a reason has a comment.
//
//===----------------------------------------------------------------------===//
#include "KernelBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

// Columns of one work item of forTiles: enough to amortise its index arithmetic, few enough that
// one row of a model is several items.
static constexpr int64_t kTileColumns = 256;

KernelBuilder::KernelBuilder(func::FuncOp function, const TargetDescription &target)
    : ImplicitLocOpBuilder(function.getLoc(), function.getContext()), function(function),
      target(target) {
  setInsertionPointToStart(function.addEntryBlock());
}

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value KernelBuilder::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = cast<TypedAttr>(getFloatAttr(element, value));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, cast<Attribute>(attribute));
  return arith::ConstantOp::create(*this, attribute);
}

Value KernelBuilder::constantInt(Type type, int64_t value) {
  auto element = cast<IntegerType>(getElementTypeOrSelf(type));
  APInt bits(element.getWidth(), value, /*isSigned=*/true, /*implicitTrunc=*/true);
  TypedAttr attribute = IntegerAttr::get(element, bits);
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, bits);
  return arith::ConstantOp::create(*this, attribute);
}

Value KernelBuilder::toI64(Value index) {
  return createOrFold<arith::IndexCastOp>(getI64Type(), index);
}

Value KernelBuilder::toIndex(Value integer) {
  return createOrFold<arith::IndexCastOp>(getIndexType(), integer);
}

Value KernelBuilder::at(Value pointer, Value index, int64_t bytes, int64_t offset) {
  Value scaled = toI64(mul(index, bytes));
  Value address = LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                                      ArrayRef<LLVM::GEPArg>{scaled});
  return at(address, offset);
}

Value KernelBuilder::at(Value pointer, int64_t offset) {
  if (offset == 0)
    return pointer;
  LLVM::GEPArg bytes = llvm::isInt<LLVM::kGEPConstantBitWidth>(offset)
                           ? LLVM::GEPArg(int32_t(offset))
                           : LLVM::GEPArg(toI64(index(offset)));
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

static unsigned elementBytes(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return sizeof(uint64_t);
  return std::max(getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8, 1u);
}

Value KernelBuilder::load(Type type, Value pointer, int64_t offset) {
  return LLVM::LoadOp::create(*this, type, at(pointer, offset), elementBytes(type));
}

void KernelBuilder::store(Value value, Value pointer, int64_t offset) {
  LLVM::StoreOp::create(*this, value, at(pointer, offset), elementBytes(value.getType()));
}

Value KernelBuilder::loadSplat(VectorType type, Value pointer, int64_t offset) {
  return splat(load(type.getElementType(), pointer, offset), type);
}

void KernelBuilder::prefetch(Value pointer, int64_t bytes, bool nearest) {
  constexpr int64_t line = 64;
  constexpr unsigned read = 0, data = 1;
  for (int64_t offset = 0; offset < bytes; offset += line)
    LLVM::Prefetch::create(*this, at(pointer, offset), read, /*hint=*/nearest ? 3 : 2, data);
}

Value KernelBuilder::stack(int64_t bytes) {
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&function.getBody().front());
  Value count = arith::ConstantOp::create(*this, getI64IntegerAttr(bytes));
  return LLVM::AllocaOp::create(*this, LLVM::LLVMPointerType::get(getContext()), getI8Type(), count,
                                /*alignment=*/64);
}

Value KernelBuilder::splat(Value scalar, VectorType type) {
  return vector::BroadcastOp::create(*this, type, scalar);
}

Value KernelBuilder::bitcast(Value value, Type type) {
  if (value.getType() == type)
    return value;
  // vector.bitcast changes the lane count, arith.bitcast does not.
  auto from = dyn_cast<VectorType>(value.getType());
  if (from && from.getNumElements() != cast<VectorType>(type).getNumElements())
    return vector::BitCastOp::create(*this, cast<VectorType>(type), value);
  return arith::BitcastOp::create(*this, type, value);
}

Value KernelBuilder::slice(Value vector, int64_t first, int64_t count) {
  if (first == 0 && count == cast<VectorType>(vector.getType()).getNumElements())
    return vector;
  return vector::ExtractStridedSliceOp::create(*this, vector, ArrayRef<int64_t>{first},
                                               ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
}

Value KernelBuilder::concat(Value low, Value high) {
  int64_t lanes = 2 * cast<VectorType>(low.getType()).getNumElements();
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
  return vector::ShuffleOp::create(*this, low, high, order);
}

Value KernelBuilder::shuffle(Value vector, ArrayRef<int64_t> lanes) {
  return vector::ShuffleOp::create(*this, vector, vector, lanes);
}

Value KernelBuilder::lane(Value vector, int64_t lane) {
  return vector::ExtractOp::create(*this, vector, lane);
}

// "a > b ? a : b" is one instruction on x86, unlike arith.maximumf and maxnumf.
Value KernelBuilder::maxf(Value a, Value b) {
  Value greater = arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(*this, greater, a, b);
}

Value KernelBuilder::minf(Value a, Value b) {
  Value smaller = arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, b);
  return arith::SelectOp::create(*this, smaller, a, b);
}

Value KernelBuilder::intrinsic(StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(*this, result, getStringAttr(name), operands).getResult(0);
}

void KernelBuilder::intrinsic(StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(*this, getStringAttr(name), operands);
}

void KernelBuilder::forEach(Value begin, Value end, Value step,
                            llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(*this, begin, end, step);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

KernelBuilder::Values KernelBuilder::forEach(Value begin, Value end, int64_t step, ValueRange inits,
                                             llvm::function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, begin, end, index(step), inits);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToEnd(loop.getBody());
  Values results = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, results);
  return Values(loop.getResults());
}

void KernelBuilder::ifThen(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

void KernelBuilder::ifElse(Value condition, llvm::function_ref<void()> then,
                           llvm::function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  then();
  setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

Value KernelBuilder::equal(Value a, Value b) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, a, b);
}

Value KernelBuilder::less(Value a, Value b) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::ult, a, b);
}

IndexRange KernelBuilder::share(Value work) {
  unsigned count = function.getNumArguments();
  Value thread = arg(count - 2), threads = arg(count - 1);
  return {div(mul(work, thread), threads), div(mul(work, add(thread, 1)), threads)};
}

// Nothing but the number is handed from thread to thread.
static constexpr auto kClaimOrder = LLVM::AtomicOrdering::monotonic;

KernelBuilder::Value KernelBuilder::claim(Value counter, Value count) {
  return toIndex(
      LLVM::AtomicRMWOp::create(*this, LLVM::AtomicBinOp::add, counter, toI64(count), kClaimOrder));
}

void KernelBuilder::forClaimedRanges(Value counter, Value work, int64_t least,
                                     llvm::function_ref<void(IndexRange)> body) {
  // What is left may be old when it is used, which makes a range longer than meant, not wrong.
  auto next = [&](OpBuilder &, Location, ValueRange) {
    Value seen =
        LLVM::LoadOp::create(*this, getI64Type(), counter, /*alignment=*/8,
                             /*isVolatile=*/false, /*isNonTemporal=*/false,
                             /*isInvariant=*/false, /*isInvariantGroup=*/false, kClaimOrder);
    Value left = sub(work, min(toIndex(seen), work));
    Value count = max(div(left, mul(threads(), 2)), index(least));
    Value begin = claim(counter, count);
    scf::ConditionOp::create(*this, less(begin, work), ValueRange{begin, add(begin, count)});
  };
  auto run = [&](OpBuilder &, Location, ValueRange range) {
    body({range[0], min(range[1], work)});
    scf::YieldOp::create(*this);
  };
  OpBuilder::InsertionGuard guard(*this);
  scf::WhileOp::create(*this, TypeRange{getIndexType(), getIndexType()}, ValueRange{}, next, run);
}

void KernelBuilder::forClaimedBlocks(Value counter, Value rows, Value block, int64_t work,
                                     int64_t least,
                                     llvm::function_ref<void(IndexRange, IndexRange)> body) {
  Value blocks = div(sub(add(rows, block), index(1)), block);
  forClaimedRanges(counter, mul(blocks, work), least, [&](IndexRange range) {
    Value last = div(add(range.end, work - 1), work);
    forEach(div(range.begin, work), last, 1, [&](Value i) {
      Value start = mul(i, work), first = mul(i, block);
      Value begin = sub(max(range.begin, start), start);
      Value end = min(sub(range.end, start), index(work));
      body({begin, end}, {first, min(add(first, block), rows)});
    });
  });
}

void KernelBuilder::forClaimed(Value counter, Value work, llvm::function_ref<void(Value)> body) {
  auto next = [&](OpBuilder &, Location, ValueRange) {
    Value item = claim(counter, index(1));
    scf::ConditionOp::create(*this, less(item, work), ValueRange{item});
  };
  auto run = [&](OpBuilder &, Location, ValueRange item) {
    body(item[0]);
    scf::YieldOp::create(*this);
  };
  OpBuilder::InsertionGuard guard(*this);
  scf::WhileOp::create(*this, TypeRange{getIndexType()}, ValueRange{}, next, run);
}

void KernelBuilder::forRows(Value rows, llvm::function_ref<void(Value)> body) {
  IndexRange range = share(rows);
  forEach(range.begin, range.end, 1, body);
}

void KernelBuilder::forTiles(Value rows, int64_t columns,
                             llvm::function_ref<void(Value, Value, int64_t)> body) {
  int64_t chunks = ceilDiv(columns, kTileColumns);
  int64_t full = columns / kLanes * kLanes;
  forRows(mul(rows, chunks), [&](Value item) {
    Value row = div(item, chunks);
    Value chunk = rem(item, chunks);
    Value first = mul(chunk, kTileColumns);
    forEach(first, min(add(first, kTileColumns), index(full)), kLanes,
            [&](Value column) { body(row, column, kLanes); });
    if (full != columns)
      ifThen(equal(chunk, index(chunks - 1)), [&] { body(row, index(full), columns - full); });
  });
}

void KernelBuilder::forColumns(int64_t columns, llvm::function_ref<void(Value, int64_t)> body) {
  int64_t full = columns / kLanes * kLanes;
  if (full)
    forEach(index(0), index(full), kLanes, [&](Value column) { body(column, kLanes); });
  if (full != columns)
    body(index(full), columns - full);
}
