//===- ImportModelTest.cpp - Modules built from checkpoints ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The module of each bundled checkpoint, and what bindTensors makes of tensors
// that are missing, wrong or too many.
//===----------------------------------------------------------------------===//
#include "rlx/Import/ImportModel.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "rlx/Import/Checkpoint.h"
#include "gmock/gmock.h"
#include <nlohmann/json.hpp>

using namespace rlx;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  return text;
}

size_t count(llvm::StringRef text, llvm::StringRef what) { return text.count(what); }

/// The module of a bundled checkpoint, in text; it must parse again.
std::string importedText(const std::string &relative, ImportOptions options = {}) {
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(RLX_TEST_DATA "/" + relative);
  if (!checkpoint)
    return llvm::toString(checkpoint.takeError());
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto module = importModel(context, *checkpoint->weights, checkpoint->config, options);
  if (!module)
    return llvm::toString(module.takeError());
  EXPECT_TRUE(checkpoint->weights->withUse(TensorUse::Unused).empty());
  std::string text = print(**module);
  auto again = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(again && print(*again) == text);
  return text;
}

TEST(ImportModel, Gemma1) {
  std::string text = importedText("models/tiny-gemma1");
  EXPECT_THAT(text, HasSubstr("#rlx.symbol<\"PAST_SEQ\", 0, 511>"));
  EXPECT_THAT(text, HasSubstr("rlx.weight @embedding : tensor<2048x256xbf16> from "
                              "[#rlx.source<file = "));
  EXPECT_THAT(text, HasSubstr("func.func @prefill(%arg0: tensor<?x?xi32, #rlx.dims<BATCH, SEQ>>"));
  EXPECT_THAT(text, HasSubstr("func.func @decode(%arg0: tensor<?x1xi32, #rlx.dims<BATCH, 1>>"));
  EXPECT_THAT(text, HasSubstr("scale = 1.600000e+01 : f32"));
  EXPECT_THAT(text, HasSubstr("gain one_plus"));
  EXPECT_EQ(count(text, "rlx.attention "), 6u);   // 3 layers in 2 functions
  EXPECT_EQ(count(text, "rlx.rms_norm "), 14u);   // 2 a layer and the last
  EXPECT_EQ(count(text, "rlx.rope_angles "), 2u); // one base
  EXPECT_EQ(count(text, "rlx.kv_slot "), 3u);
  EXPECT_THAT(text, Not(HasSubstr("softcap")));
  EXPECT_THAT(text, Not(HasSubstr("window 64")));
}

TEST(ImportModel, Gemma2) {
  std::string text = importedText("models/tiny-gemma2");
  EXPECT_EQ(count(text, "cap 5.000000e+01 window 64"), 4u); // layers 0 and 2
  EXPECT_EQ(count(text, "cap 5.000000e+01"), 8u);
  EXPECT_EQ(count(text, "rlx.softcap"), 2u);
  EXPECT_EQ(count(text, "rlx.rms_norm "), 34u);
  EXPECT_THAT(text, HasSubstr("rlx.kv_slot @kv0 heads 2 head_dim 64 type f16 window 64"));
  EXPECT_THAT(text, HasSubstr("rlx.kv_slot @kv1 heads 2 head_dim 64 type f16\n"));
}

TEST(ImportModel, Gemma3) {
  ImportOptions options;
  options.maxContext = 100;
  options.chunk = 8;
  options.maxOutputs = 4;
  options.kvType = KVType::F32;
  std::string text = importedText("models/tiny-gemma3", options);
  EXPECT_EQ(count(text, "rlx.rope_angles "), 4u);
  EXPECT_EQ(count(text, "base = 1.000000e+06 : f64"), 2u);
  EXPECT_EQ(count(text, "window 64 :"), 10u); // 5 of 6 layers
  EXPECT_EQ(count(text, "rlx.rms_norm "), 74u);
  EXPECT_THAT(text, HasSubstr("#rlx.symbol<\"SEQ\", 1, 8>"));
  EXPECT_THAT(text, HasSubstr("#rlx.symbol<\"PAST_SEQ\", 0, 99>"));
  EXPECT_THAT(text, HasSubstr("#rlx.symbol<\"OUT\", 0, 4>"));
  EXPECT_THAT(text, HasSubstr("rlx.kv_slot @kv5 heads 1 head_dim 64 type f32\n"));
}

struct GoldenFile {
  const char *name;
  size_t layers;
  std::vector<const char *> types; ///< that occur in it
};

TEST(ImportModel, EveryGoldenGguf) {
  const GoldenFile files[] = {
      {"gemma-F16", 2, {"f16"}},
      {"gemma-BF16", 2, {"bf16"}},
      {"gemma-Q4_1", 2, {"\"q4_1\""}},
      {"gemma-Q5_0", 2, {"\"q5_0\""}},
      {"gemma-Q5_1", 2, {"\"q5_1\""}},
      {"gemma2-Q2_K", 4, {"\"q2_k\"", "\"q3_k\"", "\"q6_k\""}},
      {"gemma2-Q4_0", 4, {"\"q4_0\"", "\"q6_k\""}},
      {"gemma2-Q5_K_M", 4, {"\"q5_k\"", "\"q6_k\""}},
      {"gemma2-Q6_K", 4, {"\"q6_k\""}},
      {"gemma2-Q8_0", 4, {"\"q8_0\""}},
      {"gemma3-IQ4_XS", 6, {"\"iq4_xs\"", "\"q6_k\""}},
      {"gemma3-Q4_0", 6, {"\"q4_0\""}},
      {"gemma3-Q4_K_M", 6, {"\"q4_k\"", "\"q6_k\""}},
      {"gemma3-Q8_0", 6, {"\"q8_0\""}},
  };
  for (const GoldenFile &file : files) {
    SCOPED_TRACE(file.name);
    std::string text = importedText(std::string("goldens/gguf/") + file.name + ".gguf");
    EXPECT_EQ(count(text, "rlx.attention "), 2 * file.layers);
    EXPECT_THAT(text, HasSubstr("gain plain"));
    EXPECT_THAT(text, Not(HasSubstr("one_plus")));
    for (const char *type : file.types)
      EXPECT_THAT(text, HasSubstr(type));
  }
}

} // namespace
