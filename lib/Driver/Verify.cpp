//===- Verify.cpp - Compiled code against the interpreter -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The prompt goes through prefill in one step, further tokens through decode.
//===----------------------------------------------------------------------===//
#include "Verify.h"
#include "rlx/Interpreter/Interpreter.h"
#include "rlx/runtime/session.h"
#include <cmath>

using namespace mlir;

namespace {

constexpr size_t kPromptTokens = 7; // no multiple of any tile
constexpr size_t kDecodedTokens = 3;

/// One row of logits for the last prompt token and for each decoded one.
using LogitRows = std::vector<std::vector<double>>;

} // namespace

static llvm::Error fail(const llvm::Twine &message) {
  return llvm::createStringError("--verify: " + message);
}

/// Ids spread over the vocabulary, the same for every run.
static std::vector<int32_t> chooseIds(int64_t vocabSize, size_t count) {
  std::vector<int32_t> ids;
  for (uint64_t i = 0; i < count; ++i)
    ids.push_back(static_cast<int32_t>((i + 1) * 2654435761u % static_cast<uint64_t>(vocabSize)));
  return ids;
}

static rlx::VariantOp findVariant(ModuleOp module, rlx::Role role) {
  rlx::VariantOp found;
  for (auto variant : module.getOps<rlx::VariantOp>())
    if (variant.getRole() == role)
      found = variant; // the last is the widest
  return found;
}

static llvm::Expected<LogitRows> interpret(ModuleOp module, const rlx::WeightSource &source,
                                           llvm::ArrayRef<int32_t> ids) {
  rlx::VariantOp prefill = findVariant(module, rlx::Role::Prefill);
  rlx::VariantOp decode = findVariant(module, rlx::Role::Decode);
  if (!prefill)
    return fail("the module has no prefill variant");
  rlx::SourceWeights weights(source);
  rlx::InterpreterOptions options;
  options.quantizeActivations = true;
  rlx::Interpreter interpreter(module, weights, options);
  rlx::InterpreterCache cache(module);
  LogitRows rows;
  for (size_t begin = 0; begin < ids.size();) {
    size_t count = begin == 0 ? std::min(kPromptTokens, ids.size()) : 1;
    bool isDecode = count == 1 && decode && begin != 0;
    llvm::Expected<rlx::StepResult> step = interpreter.run(
        (isDecode ? decode : prefill).getFunction(), ids.slice(begin, count), cache, count - 1, 1);
    if (!step)
      return step.takeError();
    rows.push_back(std::move(step->logits.values));
    begin += count;
  }
  return rows;
}

static llvm::Expected<LogitRows> execute(llvm::StringRef path, const std::string &target,
                                         llvm::ArrayRef<int32_t> ids) {
  rlx::ModelOptions modelOptions;
  modelOptions.target = target;
  rlx::Expected<rlx::Model> model = rlx::Model::open(path.str(), modelOptions);
  if (!model)
    return fail(model.status().message());
  rlx::Expected<rlx::Session> session = rlx::Session::create(*model);
  if (!session)
    return fail(session.status().message());
  LogitRows rows;
  size_t prompt = std::min(kPromptTokens, ids.size());
  if (rlx::Status status = session->prefill({ids.data(), prompt}); !status.ok())
    return fail(status.message());
  for (size_t next = prompt;; ++next) {
    rlx::Expected<rlx::Span<const float>> logits = session->logits();
    if (!logits)
      return fail(logits.status().message());
    rows.emplace_back(logits->begin(), logits->end());
    if (next == ids.size())
      return rows;
    rlx::Expected<rlx::Span<const float>> step = session->stepForced(ids[next]);
    if (!step)
      return fail(step.status().message());
  }
}

/// The share of the largest logit by which results may differ: sums in f32 alone, or
/// values that fall on the other side of a rounding to the narrowest type in use.
static double tolerance(ModuleOp module) {
  double bound = 2e-4;
  for (auto slot : module.getOps<rlx::KVSlotOp>())
    if (slot.getKvType() != rlx::KVType::F32)
      bound = std::max(bound, slot.getKvType() == rlx::KVType::F16 ? 2e-3 : 2e-2);
  for (auto weight : module.getOps<rlx::WeightOp>()) {
    Type type = weight.getTensorType().getElementType();
    // Kernels may round the activations to bf16, or to 8 bits, as well.
    if (type.isBF16() || isa<rlx::QuantType>(type))
      bound = std::max(bound, 2e-2);
  }
  return bound;
}

static llvm::Error compare(const LogitRows &expected, const LogitRows &actual, double bound,
                           const std::string &target, rlx::Console &console) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i >= actual.size() || actual[i].size() != expected[i].size())
      return fail("target " + target + " gives another number of logits than the interpreter");
    for (size_t j = 0; j < expected[i].size(); ++j) {
      double d = std::fabs(actual[i][j] - expected[i][j]);
      largest = std::max(largest, std::fabs(expected[i][j]));
      // A NaN compares false with everything: it must not pass as small.
      difference = d <= difference ? difference : d;
    }
  }
  std::string figures =
      llvm::formatv("largest difference {0:e2} of the largest logit, at most {1:e2} expected",
                    difference / largest, bound)
          .str();
  if (!(difference <= bound * largest))
    return fail("target " + target + " differs from the reference interpreter: " + figures);
  console.note("verified " + target + " against the reference interpreter: " + figures);
  return llvm::Error::success();
}

llvm::Error rlx::verifyModel(llvm::StringRef path, ModuleOp module, const WeightSource &weights,
                             llvm::ArrayRef<std::string> targets, Console &console) {
  Expected<Model> model = Model::open(path.str(), {});
  if (!model)
    return fail(model.status().message());
  size_t count = std::min<uint64_t>(kPromptTokens + kDecodedTokens, model->maxContext());
  std::vector<int32_t> ids = chooseIds(static_cast<int64_t>(model->vocabSize()), count);
  llvm::Expected<LogitRows> expected = interpret(module, weights, ids);
  if (!expected)
    return expected.takeError();
  for (const std::string &target : targets) {
    llvm::Expected<LogitRows> actual = execute(path, target, ids);
    if (!actual)
      return actual.takeError();
    if (llvm::Error error = compare(*expected, *actual, tolerance(module), target, console))
      return error;
  }
  return llvm::Error::success();
}
