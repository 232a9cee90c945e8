//===- Specialize.cpp - Variants and the dispatch table -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clones the forward functions for ranges of SEQ and PAST_SEQ.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "SymbolBinding.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"

#include "llvm/Support/MathExtras.h"

namespace rlx {
#define GEN_PASS_DEF_SPECIALIZE
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The powers of two from `min` to `max` that lie below `limit`, ascending.
static SmallVector<int64_t> makeLadder(int64_t min, int64_t max, int64_t limit) {
  SmallVector<int64_t> rungs;
  if (min <= 0)
    return rungs;
  for (int64_t rung = min; rung <= max && rung < limit; rung *= 2)
    rungs.push_back(rung);
  return rungs;
}

namespace {
struct Variant {
  Role role;
  int64_t seqMax, pastMax;
  std::string name;
};

struct Specialize : rlx::impl::SpecializeBase<Specialize> {
  using SpecializeBase::SpecializeBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkOptions()) || failed(checkUnspecialized(module)))
      return signalPassFailure();
    FailureOr<SmallVector<func::FuncOp>> prefills = getFunctions(module, "prefill");
    FailureOr<SmallVector<func::FuncOp>> decodes = getFunctions(module, "decode");
    if (failed(prefills) || failed(decodes))
      return signalPassFailure();
    if (prefills->size() != 1 || decodes->size() > 1) {
      module.emitError("expected one prefill function and at most one decode function but got ")
          << prefills->size() << " and " << decodes->size();
      return signalPassFailure();
    }
    func::FuncOp prefillFunction = prefills->front();
    func::FuncOp decodeFunction = decodes->empty() ? prefillFunction : decodes->front();
    FailureOr<SmallVector<Variant>> variants = listVariants(prefillFunction);
    if (failed(variants))
      return signalPassFailure();
    for (const Variant &variant : *variants)
      if (failed(make(variant, variant.role == Role::Decode ? decodeFunction : prefillFunction)))
        return signalPassFailure();
    if (decodeFunction != prefillFunction)
      decodeFunction.erase();
    prefillFunction.erase();
  }

private:
  LogicalResult checkOptions() {
    const std::pair<StringRef, std::pair<int64_t, int64_t>> ladders[] = {
        {"prefill-seq", {prefillSeqMin, prefillSeqMax}},
        {"prefill-past", {prefillPastMin, prefillPastMax}},
        {"decode-past", {decodePastMin, decodePastMax}}};
    for (const auto &[name, ladder] : ladders) {
      auto [min, max] = ladder;
      if (min == 0 && max == 0)
        continue;
      if (min <= 0 || max < min || !llvm::isPowerOf2_64(min) || !llvm::isPowerOf2_64(max))
        return getOperation().emitError("expected ")
               << name << "-min and " << name << "-max to be powers of two, ascending, but got "
               << min << " and " << max;
    }
    return success();
  }

  static LogicalResult checkUnspecialized(ModuleOp module) {
    for (auto variant : module.getOps<VariantOp>())
      return variant.emitOpError("expected a module without variants: it is specialised already");
    return success();
  }

  /// The dispatch table, narrowest variants first.
  FailureOr<SmallVector<Variant>> listVariants(func::FuncOp prefillFunction) {
    FailureOr<SymbolAttr> seq = getRange(prefillFunction, RLXDialect::kSeqSymbol);
    FailureOr<SymbolAttr> past = getRange(prefillFunction, RLXDialect::kPastSymbol);
    if (failed(seq) || failed(past))
      return failure();
    SmallVector<Variant> variants;
    if (decode) {
      for (int64_t rung : makeLadder(decodePastMin, decodePastMax, past->getMax()))
        variants.push_back({Role::Decode, 1, rung, "decode_past_le_" + std::to_string(rung)});
      variants.push_back({Role::Decode, 1, past->getMax(), "decode"});
    }
    SmallVector<int64_t> seqs = makeLadder(prefillSeqMin, prefillSeqMax, seq->getMax());
    SmallVector<int64_t> pasts = makeLadder(prefillPastMin, prefillPastMax, past->getMax());
    seqs.push_back(seq->getMax());
    pasts.push_back(past->getMax());
    for (int64_t seqMax : seqs)
      for (int64_t pastMax : pasts) {
        std::string name = "prefill";
        if (seqMax != seq->getMax())
          name += "_seq_le_" + std::to_string(seqMax);
        if (pastMax != past->getMax())
          name += "_past_le_" + std::to_string(pastMax);
        bool all = seqMax == seq->getMax() && pastMax == past->getMax();
        variants.push_back({Role::Prefill, seqMax, pastMax, all ? "generic" : name});
      }
    return variants;
  }

  /// Clones `original` as the function of `variant` and enters it in the table.
  LogicalResult make(const Variant &variant, func::FuncOp original) {
    auto function = cast<func::FuncOp>(original->clone());
    function.setSymName("forward_" + variant.name);
    function->setAttr(RLXDialect::kRoleAttr,
                      StringAttr::get(&getContext(), stringifyRole(variant.role)));
    OpBuilder builder(original);
    builder.insert(function);
    FailureOr<SymbolAttr> batch = getRange(function, RLXDialect::kBatchSymbol),
                          seq = limit(function, RLXDialect::kSeqSymbol, variant.seqMax),
                          past = limit(function, RLXDialect::kPastSymbol, variant.pastMax),
                          out = limit(function, RLXDialect::kOutSymbol, variant.seqMax);
    if (failed(batch) || failed(seq) || failed(past) || failed(out))
      return failure();
    // The other symbols stay run-time values of which the range is known.
    if (seq->getMin() == seq->getMax())
      bindSymbol(function, seq->getName(), seq->getMin());

    builder.setInsertionPoint(getFirstFunction());
    auto entry = VariantOp::create(builder, original.getLoc(), variant.name, function.getSymName(),
                                   variant.role, seq->getMin(), seq->getMax(), past->getMin(),
                                   past->getMax());
    entry->setAttr(kBatchMaxAttr, builder.getI64IntegerAttr(batch->getMax()));
    entry->setAttr(kOutMaxAttr, builder.getI64IntegerAttr(out->getMax()));
    return success();
  }

  /// Lowers the greatest value of `symbol` in `function` to `max`.
  static FailureOr<SymbolAttr> limit(func::FuncOp function, StringRef symbol, int64_t max) {
    FailureOr<SymbolAttr> range = getRange(function, symbol);
    if (failed(range))
      return failure();
    if (range->getMin() > max)
      return function.emitError("expected the range of ")
             << *range << " to have values up to " << max;
    auto limited = SymbolAttr::get(function.getContext(), range->getName(), range->getMin(),
                                   std::min(range->getMax(), max));
    narrowSymbol(function, limited);
    return limited;
  }

  func::FuncOp getFirstFunction() { return *getOperation().getOps<func::FuncOp>().begin(); }
};
} // namespace
