//===- Verify.cpp - Compiled code against the interpreter -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Chooses tokens and a bound, runs both sides, takes the largest difference.
//===----------------------------------------------------------------------===//
#include "rlx/Interpreter/Verify.h"
#include "rlx/Interpreter/Interpreter.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace rlx;

CompiledSession::~CompiledSession() = default;

/// Tokens for which the interpreter takes some seconds, at least a few.
static size_t choosePrefill(ModuleOp module) {
  int64_t elements = 1;
  for (auto weight : module.getOps<WeightOp>())
    elements += weight.getTensorType().getNumElements();
  constexpr int64_t budget = int64_t(1) << 31; // multiply-adds
  return std::clamp<int64_t>(budget / elements, 6, 96);
}

/// The allowed error in units of the largest logit. Sums in f32 alone make less than
/// 2e-4. Where both sides round to fewer bits, they round sums that differ a little, so
/// that their errors are as good as independent: spread evenly over a step, twice, which
/// is a standard deviation of √2·step/√12. Each layer rounds the inputs of its four
/// products, or its keys and values. Errors add as squares and keep their relative size on
/// the way to the logits, of which the largest is at least four times the typical one;
/// five standard deviations are allowed.
static double relativeBound(ModuleOp module, bool roundsToBf16) {
  double f16 = 0x1p-10, bf16 = 0x1p-7;
  // A 127th of the largest of 32 values, which is 2.2 times the typical one.
  double eightBits = 2.2 / 127;
  double product = 0, squares = 0;
  for (auto weight : module.getOps<WeightOp>()) {
    Type element = weight.getTensorType().getElementType();
    if (isa<QuantType>(element))
      product = std::max(product, eightBits);
    else if (roundsToBf16 && element.isBF16())
      product = std::max(product, bf16);
  }
  for (auto slot : module.getOps<KVSlotOp>()) {
    double kept = 0;
    switch (slot.getKvType()) {
    case KVType::F32:
      break;
    case KVType::F16:
      kept = f16;
      break;
    case KVType::BF16:
      kept = bf16;
      break;
    case KVType::Q8_0:
      kept = eightBits;
      break;
    }
    squares += 4 * product * product + 2 * kept * kept;
  }
  return 2e-4 + 5.0 / 4.0 * std::sqrt(2.0 / 12.0 * squares);
}

/// The largest value of `symbol`.
static size_t limit(ModuleOp module, StringRef symbol, size_t otherwise) {
  SymbolAttr range = lookupSymbol(module, StringAttr::get(module.getContext(), symbol));
  return range ? static_cast<size_t>(range.getMax()) : otherwise;
}

/// The function that computes steps of `role`: the widest variant's, or the one
/// that has the role.
static func::FuncOp findFunction(ModuleOp module, Role role) {
  VariantOp widest;
  for (auto variant : module.getOps<VariantOp>())
    if (variant.getRole() == role &&
        (!widest || std::pair(variant.getSeqMax(), variant.getPastMax()) >
                        std::pair(widest.getSeqMax(), widest.getPastMax())))
      widest = variant;
  if (widest)
    return module.lookupSymbol<func::FuncOp>(widest.getFunction());
  for (auto function : module.getOps<func::FuncOp>())
    if (auto attr = function->getAttrOfType<StringAttr>(RLXDialect::kRoleAttr))
      if (attr.getValue() == stringifyRole(role))
        return function;
  return {};
}

/// Adds the differences of one row of logits.
static void compare(ArrayRef<double> expected, ArrayRef<float> actual, VerifyReport &report) {
  for (auto [e, a] : llvm::zip(expected, actual)) {
    report.maxLogit = std::max(report.maxLogit, std::fabs(e));
    double error = std::fabs(a - e);
    // Once NaN, always NaN: it compares false with the bound.
    if (!(error <= report.maxError))
      report.maxError = std::isnan(report.maxError) ? report.maxError : error;
  }
}

llvm::Expected<VerifyReport> rlx::verifyAgainstInterpreter(ModuleOp module, WeightProvider &weights,
                                                           CompiledSession &compiled,
                                                           const VerifyOptions &options) {
  func::FuncOp prefill = findFunction(module, Role::Prefill);
  func::FuncOp decode = findFunction(module, Role::Decode);
  if (!prefill)
    return llvm::createStringError("expected a function with the role \"prefill\" to verify");
  int64_t vocabulary = cast<RankedTensorType>(prefill.getResultTypes()[0]).getShape().back();
  InterpreterOptions how;
  how.quantizeActivations = true;
  how.roundToBf16 = options.bf16Dot;
  how.tiles = options.tiles;
  Interpreter interpreter(module, weights, how);
  InterpreterCache cache(module);

  VerifyReport report;
  size_t room = limit(module, RLXDialect::kPastSymbol, 8192) + 1;
  report.prefillTokens = options.prefillTokens ? options.prefillTokens : choosePrefill(module);
  report.prefillTokens = std::min(report.prefillTokens, room);
  report.decodeTokens = std::min(options.decodeTokens, room - report.prefillTokens);

  std::mt19937 random(options.seed);
  std::vector<int32_t> ids(report.prefillTokens + report.decodeTokens);
  for (int32_t &id : ids)
    id = static_cast<int32_t>(random() % vocabulary);

  for (size_t begin = 0; begin < ids.size();) {
    bool first = begin == 0;
    ArrayRef<int32_t> part = ArrayRef<int32_t>(ids).slice(begin, first ? report.prefillTokens : 1);
    func::FuncOp function = first || !decode ? prefill : decode;
    auto expected = interpreter.run(function.getName(), part, cache, part.size() - 1, 1);
    if (!expected)
      return expected.takeError();
    auto actual = first ? compiled.prefill(part) : compiled.decode(part.front());
    if (!actual)
      return actual.takeError();
    if (actual->size() != expected->logits.values.size())
      return llvm::createStringError(llvm::formatv("expected {0} logits but got {1}",
                                                   expected->logits.values.size(), actual->size()));
    compare(expected->logits.values, *actual, report);
    begin += part.size();
  }
  report.bound = relativeBound(module, options.bf16Dot || options.tiles) * report.maxLogit;
  return report;
}

std::string rlx::describe(const VerifyReport &report) {
  return llvm::formatv("{0} prefill and {1} decode tokens: largest error {2:e2} of logits up to "
                       "{3:f2}, bound {4:e2}",
                       report.prefillTokens, report.decodeTokens, report.maxError, report.maxLogit,
                       report.bound);
}
