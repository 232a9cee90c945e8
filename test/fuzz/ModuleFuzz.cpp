//===- ModuleFuzz.cpp -----------------------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A module as text, which `rlx-compile --resume-from` and `rlx-opt` read: it is refused
// with a message, or each phase up to kernels ends, with a module or with a message.
//
// Bytes changed at random are refused by MLIR's parser. So changes are made to tokens,
// which leaves most texts readable, and takes the fuzzer to verifiers and passes.
//===----------------------------------------------------------------------===//
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include <cstdlib>
#include <random>

using namespace mlir;
using namespace rlx;

//===----------------------------------------------------------------------===//
// Changes
//===----------------------------------------------------------------------===//

/// The length of the token at the start of `text`: a number's digits, a word with the character
/// that makes it a symbol, a value, a type or an attribute, the x of a shape, or any character.
static size_t getTokenLength(llvm::StringRef text) {
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; };
  size_t marked = llvm::StringRef("@%!#-").contains(text.front());
  llvm::StringRef rest = text.drop_front(marked);
  llvm::StringRef digits = rest.take_while(llvm::isDigit);
  if (!digits.empty())
    return marked + digits.size();
  llvm::StringRef word = rest.take_while(isWord);
  bool shape =
      word.consume_front("x") && (word.empty() || llvm::isDigit(word.front()) || word == "f32" ||
                                  word == "bf16" || word == "i32" || word == "i64");
  return shape || word.empty() ? 1 : marked + rest.take_while(isWord).size();
}

static std::vector<std::string> splitTokens(llvm::StringRef text) {
  std::vector<std::string> tokens;
  for (; !text.empty(); text = text.drop_front(tokens.back().size()))
    tokens.push_back(text.take_front(getTokenLength(text)).str());
  return tokens;
}

static bool isInteger(llvm::StringRef token) {
  token.consume_front("-");
  return !token.empty() && llvm::all_of(token, llvm::isDigit);
}

/// What a token can be replaced by: those of one kind change places.
static char getKind(llvm::StringRef token) {
  if (isInteger(token))
    return '0';
  return llvm::isAlpha(token.front()) ? 'a' : token.front();
}

static std::string changeInteger(llvm::StringRef token, std::mt19937 &random) {
  static const char *const edges[] = {"0",     "1",          "-1",
                                      "65536", "2147483648", "9223372036854775807",
                                      "31",    "1000003",    "-9223372036854775808"};
  int64_t value;
  if (token.getAsInteger(10, value) || random() % 2)
    return edges[random() % std::size(edges)];
  return std::to_string(uint64_t(value) + (random() % 2 ? 1 : -1));
}

/// One token, or wherever else the same one stands, too: most numbers stand in many places, and
/// a module with only one of them changed is refused.
static void changeToken(std::vector<std::string> &tokens, std::mt19937 &random) {
  std::vector<size_t> words;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i].size() > 1 || isInteger(tokens[i]))
      words.push_back(i);
  if (words.empty())
    return;
  size_t chosen = words[random() % words.size()];
  for (int left = 3; left && getKind(tokens[chosen]) == 'a'; --left) // mostly syntax
    chosen = words[random() % words.size()];
  std::string from = tokens[chosen], to;
  if (isInteger(from) && random() % 2) {
    to = changeInteger(from, random);
  } else {
    std::vector<size_t> alike;
    for (size_t i : words)
      if (getKind(tokens[i]) == getKind(from))
        alike.push_back(i);
    to = tokens[alike[random() % alike.size()]];
  }
  if (random() % 2)
    std::replace(tokens.begin(), tokens.end(), from, to);
  else
    tokens[chosen] = to;
}

static void changeLine(std::vector<std::string> &tokens, std::mt19937 &random) {
  std::vector<std::string> lines;
  llvm::SmallVector<llvm::StringRef> parts;
  std::string text = llvm::join(tokens, "");
  llvm::StringRef(text).split(parts, '\n');
  for (llvm::StringRef part : parts)
    lines.push_back(part.str());
  size_t at = random() % lines.size(), to = random() % lines.size();
  std::string line = lines[at];
  if (random() % 3)
    lines.erase(lines.begin() + at);
  if (random() % 2)
    lines.insert(lines.begin() + std::min(to, lines.size()), line);
  tokens = splitTokens(llvm::join(lines, "\n"));
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> tokens = splitTokens({reinterpret_cast<const char *>(data), size});
  if (tokens.empty())
    return 0;
  for (unsigned left = 1 + random() % 3; left; --left)
    random() % 8 ? changeToken(tokens, random) : changeLine(tokens, random);
  std::string text = llvm::join(tokens, "").substr(0, limit);
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

//===----------------------------------------------------------------------===//
// What is done with a module
//===----------------------------------------------------------------------===//

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registry.insert<RLXDialect, func::FuncDialect>();
  func::registerAllExtensions(registry);
  return registry;
}

static void require(bool condition, const char *what) {
  if (condition)
    return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::abort();
}

/// What `--resume-from` runs of the phases up to kernels.
static LogicalResult runPhases(ModuleOp module, unsigned first, bool quantized) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  if (first <= 0) {
    buildFusionPipeline(manager, {});
    buildFoldPipeline(manager);
  }
  if (first <= 1)
    buildSpecializePipeline(manager, {});
  if (first <= 2) {
    PlanOptions plan;
    plan.screenHead = quantized ? "q4_0" : ""; // else it is refused
    plan.scratchBytes = scratchBytes;
    buildPlanPipeline(manager, plan);
    manager.addPass(createAssignWeightLayout());
  }
  manager.addPass(createVerifyPlan(scratchBytes));
  ConvertToKernelsOptions kernels;
  kernels.targetCpu = "x86-64-v3";
  manager.addPass(createConvertToKernels(kernels));
  return manager.run(module);
}

/// MLIR 22's parser crashes on array<…> of anything but numbers.
static bool hasOddArray(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, "array<");
  return llvm::any_of(llvm::drop_begin(parts),
                      [](llvm::StringRef part) { return !part.starts_with("i64"); });
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  MLIRContext context(makeRegistry(), MLIRContext::Threading::DISABLED);
  bool said = false;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    said |= !diagnostic.str().empty();
    return success();
  });
  std::string bytes(reinterpret_cast<const char *>(data), size); // ends with a 0, as files do
  llvm::StringRef text(bytes);
  if (hasOddArray(text))
    return -1;
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    require(said, "a message for what cannot be read");
    return -1; // not worth changing further
  }
  for (unsigned first = 0; first < 4; ++first) {
    OwningOpRef<ModuleOp> copy = module->clone();
    said = false;
    require(succeeded(runPhases(*copy, first, text.contains("q8_0"))) || said,
            "a message for a phase that fails");
  }
  return 0;
}
