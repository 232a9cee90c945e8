//===- Dot4.cpp - Operations on bytes, by target --------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dot products of four bytes and look-ups in tables of 16. All forms compute the same
// integers; they differ in the instruction.
//
//===----------------------------------------------------------------------===//
#include "WeightReader.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace rlx;

static Value emitVnni512(KernelBuilder &b, Value acc, Value weights, Value word) {
  Value a = b.bitcast(b.splat(word, b.vec(b.i32())), weights.getType());
  return b.intrinsic("llvm.x86.avx512.vpdpbusd.512", acc.getType(), {acc, weights, a});
}

/// The concatenation of a power of two of vectors.
static Value join(KernelBuilder &b, SmallVector<Value> pieces) {
  while (pieces.size() > 1) {
    for (unsigned i = 0; i < pieces.size() / 2; ++i)
      pieces[i] = b.concat(pieces[2 * i], pieces[2 * i + 1]);
    pieces.truncate(pieces.size() / 2);
  }
  return pieces.front();
}

/// Applies `dot` to pieces of `lanes` accumulators.
static Value emitPieces(KernelBuilder &b, Value acc, Value weights, Value word, int64_t lanes,
                        llvm::function_ref<Value(Value, Value, Value)> dot) {
  Type bytes = b.vec(b.getI8Type(), 4 * lanes);
  Value a = b.bitcast(b.splat(word, b.vec(b.i32(), lanes)), bytes);
  SmallVector<Value> pieces;
  for (int64_t first = 0; first < kLanes; first += lanes)
    pieces.push_back(dot(b.slice(acc, first, lanes), b.slice(weights, 4 * first, 4 * lanes), a));
  return join(b, pieces);
}

static Value emitVnni256(KernelBuilder &b, Value acc, Value weights, Value word) {
  return emitPieces(b, acc, weights, word, 8, [&](Value c, Value w, Value a) {
    return b.intrinsic("llvm.x86.avx512.vpdpbusd.256", c.getType(), {c, w, a});
  });
}

static Value emitNeon(KernelBuilder &b, StringRef name, Value acc, Value weights, Value word) {
  return emitPieces(b, acc, weights, word, 4, [&](Value c, Value w, Value a) {
    return b.intrinsic(name, c.getType(), {c, w, a});
  });
}

static Value emitAvx2(KernelBuilder &b, Value acc, Value weights, bool isSigned, Value word) {
  VectorType shorts = b.vec(b.getI16Type(), 16);
  return emitPieces(b, acc, weights, word, 8, [&](Value c, Value w, Value a) {
    // Moving the weight's sign to the activation leaves |w| <= 128 as u8, so that the sum of two
    // products stays below 2 * 128 * 127 < 2^15. The activation is never -128.
    if (isSigned) {
      a = b.intrinsic("llvm.x86.avx2.psign.b", a.getType(), {a, w});
      w = math::AbsIOp::create(b, w);
    }
    Value pairs = b.intrinsic("llvm.x86.avx2.pmadd.ub.sw", shorts, {w, a});
    Value fours =
        b.intrinsic("llvm.x86.avx2.pmadd.wd", c.getType(), {pairs, b.constantInt(shorts, 1)});
    return arith::AddIOp::create(b, c, fours);
  });
}

static Value emitGeneric(KernelBuilder &b, Value acc, Value weights, Value word) {
  VectorType words = b.vec(b.i32());
  Value rows = b.bitcast(weights, words);
  for (int64_t i = 0; i < 4; ++i) {
    Value w = arith::ShRUIOp::create(b, rows, b.constantInt(words, 8 * i));
    w = arith::AndIOp::create(b, w, b.constantInt(words, 255));
    Value a = arith::ShLIOp::create(b, word, b.constantInt(b.i32(), 24 - 8 * i));
    a = arith::ShRSIOp::create(b, a, b.constantInt(b.i32(), 24));
    acc = arith::AddIOp::create(b, acc, arith::MulIOp::create(b, w, b.splat(a, words)));
  }
  return acc;
}

Value rlx::emitDot2(KernelBuilder &b, Value acc, Value weights, Value activations) {
  Value a = b.bitcast(b.splat(activations, b.vec(b.i32())), weights.getType());
  return b.intrinsic("llvm.x86.avx512bf16.dpbf16ps.512", acc.getType(), {acc, weights, a});
}

bool rlx::dot4WantsSigned(const TargetDescription &target) {
  return target.int8Dot == Int8Dot::Avx2 || target.int8Dot == Int8Dot::NeonDot;
}

Value rlx::emitDot4(KernelBuilder &b, Value acc, Value weights, bool isSigned, Value activations) {
  switch (b.getTarget().int8Dot) {
  case Int8Dot::Vnni512:
    return emitVnni512(b, acc, weights, activations);
  case Int8Dot::Vnni256:
    return emitVnni256(b, acc, weights, activations);
  case Int8Dot::NeonDot:
    return emitNeon(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", acc, weights, activations);
  case Int8Dot::NeonUsdot:
    return emitNeon(b, "llvm.aarch64.neon.usdot.v4i32.v16i8", acc, weights, activations);
  case Int8Dot::Avx2:
    return emitAvx2(b, acc, weights, isSigned, activations);
  case Int8Dot::Generic:
    return emitGeneric(b, acc, weights, activations);
  }
  llvm_unreachable("unknown kind of dot product");
}

Value rlx::emitLookup(KernelBuilder &b, ArrayRef<int8_t> table, Value indices) {
  const TargetDescription &target = b.getTarget();
  bool arm = llvm::Triple(target.triple).isAArch64();
  int64_t size = cast<VectorType>(indices.getType()).getNumElements();
  int64_t piece = std::min<int64_t>(size, arm ? 16 : target.vectorBits / 8);
  VectorType type = b.vec(b.getI8Type(), piece);
  SmallVector<int8_t> repeated;
  while (int64_t(repeated.size()) < piece)
    repeated.append(table.begin(), table.end());
  Value bytes = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(repeated)));
  StringRef name = arm           ? "llvm.aarch64.neon.tbl1.v16i8"
                   : piece == 16 ? "llvm.x86.ssse3.pshuf.b.128"
                   : piece == 32 ? "llvm.x86.avx2.pshuf.b"
                                 : "llvm.x86.avx512.pshuf.b.512";
  SmallVector<Value> pieces;
  for (int64_t first = 0; first < size; first += piece)
    pieces.push_back(b.intrinsic(name, type, {bytes, b.slice(indices, first, piece)}));
  return join(b, pieces);
}
