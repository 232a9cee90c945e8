//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads recipes from rlx.weight ops, good ones and a table of bad ones.

#include "mlir/Parser/Parser.h"
#include "rlx/Packing/PackWeights.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace rlx;

namespace {

class ReadRecipesTest : public testing::Test {
protected:
  ReadRecipesTest() {
    context.loadDialect<RLXDialect>();
    llvm::cantFail(source.addTensor("w", {4, 8}, std::vector<float>(32)));
    llvm::cantFail(source.addTensor("v", {3, 8}, std::vector<float>(24)));
    llvm::cantFail(source.addTensor("wide", {4, 256}, std::vector<float>(1024)));
    llvm::cantFail(source.addTensor("n", {4, 6}, std::vector<float>(24)));
  }

  llvm::Expected<std::vector<WeightRecipe>> read(const std::string &text) {
    // Unverified: reading must refuse by itself what the dialect's verifier would stop before.
    mlir::ParserConfig config(&context, /*verifyAfterParse=*/false);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, config);
    if (!module)
      return llvm::createStringError("does not parse: " + text);
    return readRecipes(*module, [&](SourceAttr attr) -> llvm::Expected<const Tensor *> {
      if (const Tensor *tensor = source.find(attr.getTensor().getValue()))
        return tensor;
      return llvm::createStringError("no tensor '" + attr.getTensor().getValue() + "'");
    });
  }

  static std::string from(const std::string &name, const std::string &type) {
    return "#rlx.source<file = \"<memory>\", tensor = \"" + name +
           "\", offset = 0, type = tensor<" + type + ">>";
  }

  mlir::MLIRContext context;
  InMemoryWeightSource source;
};

} // namespace

TEST_F(ReadRecipesTest, ReadsInOrderOfOffsets) {
  auto recipes =
      read("rlx.weight @b : tensor<8x8xbf16> from [" + from("w", "4x8xf32") + ", " +
           from("w", "4x8xf32") +
           "] combine interleave transforms [#rlx.convert<bf16>, #rlx.pack<\"r16\">] at "
           "1024 size 512\n"
           "rlx.weight @a : tensor<4x8xf32> from [" +
           from("w", "4x8xf32") +
           "] transforms [#rlx.add_scalar<1.0 : f32>, #rlx.pack<\"row\">] at 0 size 128");
  ASSERT_TRUE(bool(recipes)) << llvm::toString(recipes.takeError());
  ASSERT_EQ(recipes->size(), 2u);
  const WeightRecipe &a = recipes->front(), &b = recipes->back();
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.layout, WeightLayout::Row);
  ASSERT_EQ(a.transforms.size(), 1u);
  EXPECT_EQ(a.transforms[0].kind, WeightTransform::AddScalar);
  EXPECT_EQ(a.transforms[0].value, 1.0f);
  EXPECT_EQ(b.combine, Combine::Interleave);
  EXPECT_EQ(b.format, WeightFormat::BF16);
  EXPECT_EQ(b.sources.size(), 2u);
  EXPECT_EQ(b.offset, 1024u);
}

TEST_F(ReadRecipesTest, RefusesWhatCannotBePacked) {
  std::string w = from("w", "4x8xf32"), pack = "transforms [#rlx.pack<\"r16\">] ";
  const std::pair<std::string, const char *> cases[] = {
      {"tensor<4x8xf32> from [" + w + "] " + pack, "expected a place"},
      {"tensor<4x8xf32> from [" + w + "] at 0 size 512", "expected a last transform #rlx.pack"},
      {"tensor<4x8xf32> from [" + from("x", "4x8xf32") + "] " + pack + "at 0 size 512",
       "no tensor 'x'"},
      {"tensor<4x8xf32> from [" + from("w", "4x8xbf16") + "] " + pack + "at 0 size 512",
       "file has changed"},
      {"tensor<5x8xf32> from [" + w + "] " + pack + "at 0 size 512", "expected 5 rows"},
      {"tensor<4x6xf32> from [" + w + "] " + pack + "at 0 size 384", "expected rows of 6 elements"},
      {"tensor<4x8xf32> from [" + w + "] " + pack + "at 0 size 511", "expected a place of 512"},
      {"tensor<4x8x!rlx.quant<\"q8_0\">> from [" + w + "] " + pack + "at 0 size 512",
       "multiple of 32"},
      {"tensor<4x8x!rlx.quant<\"q6_k\">> from [" + w + "] " + pack + "at 0 size 512",
       "multiple of 256"},
      {"tensor<4x256x!rlx.quant<\"q3_k\">> from [" + from("wide", "4x256xf32") + "] " + pack +
           "at 0 size 1824",
       "expected sources of !rlx.quant<\"q3_k\">"},
      {"tensor<4x8x!rlx.quant<\"q8_0\">> from [" + w +
           "] transforms [#rlx.convert<!rlx.quant<\"iq4_nl\">>] at 0 size 512",
       "expected a conversion to f32, f16, bf16, q8_0, q4_0, q5_0, q4_k or q6_k"},
      {"tensor<4x8xbf16> from [" + w + "] transforms [#rlx.pack<\"row\">] at 0 size 64",
       "expected f32 in layout 'row'"},
      {"tensor<7x8xf32> from [" + w + ", " + from("v", "3x8xf32") + "] combine interleave " + pack +
           "at 0 size 1024",
       "expected interleaved tensors of 4 rows but 'v' has 3"},
  };
  for (const auto &[text, message] : cases) {
    auto recipes = read("rlx.weight @a : " + text);
    ASSERT_FALSE(bool(recipes)) << text;
    EXPECT_THAT(llvm::toString(recipes.takeError()), testing::HasSubstr(message)) << text;
  }
}

TEST_F(ReadRecipesTest, RefusesOverlap) {
  std::string tail = "transforms [#rlx.pack<\"r16\">] at ";
  auto recipes = read("rlx.weight @a : tensor<4x8xf32> from [" + from("w", "4x8xf32") + "] " +
                      tail + "0 size 512\nrlx.weight @b : tensor<4x8xf32> from [" +
                      from("w", "4x8xf32") + "] " + tail + "448 size 512");
  ASSERT_FALSE(bool(recipes));
  EXPECT_THAT(llvm::toString(recipes.takeError()), testing::HasSubstr("'b' overlaps"));
}
