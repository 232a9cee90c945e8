//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What profiles mean to the passes, and what the CPU backend overrides.

#include "Settings.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace rlx;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

static Settings resolve(llvm::StringRef text) {
  Profile profile;
  EXPECT_EQ(llvm::toString(profile.applyToml(text, "p.toml")), "");
  return resolveSettings(profile);
}

TEST(SettingsTest, Defaults) {
  Settings settings = resolve("");
  EXPECT_EQ(settings.import.kvType, KVType::F16);
  EXPECT_EQ(settings.import.maxContext, 0);
  EXPECT_EQ(settings.fusion.prefill, getAllFusions());
  EXPECT_EQ(settings.specialize.prefillSeqMax, 0);
  EXPECT_EQ(settings.weights.dtype, "");
  EXPECT_EQ(settings.weights.quantize, "");
  EXPECT_EQ(settings.screenHead, "");
  EXPECT_THAT(settings.targets, ElementsAre("native"));
  EXPECT_THAT(settings.overrides, IsEmpty());
}

TEST(SettingsTest, Fusions) {
  Settings settings = resolve("fusion = \"one\"\n[decode]\nfusion = [\"epilogues\", \"qkv\"]\n");
  EXPECT_THAT(settings.fusion.prefill, Not(Contains(Fusion::Qkv)));
  EXPECT_THAT(settings.fusion.prefill, Not(Contains(Fusion::GateUp)));
  EXPECT_EQ(settings.fusion.prefill.size(), getAllFusions().size() - 2);
  EXPECT_THAT(settings.fusion.decode, ElementsAre(Fusion::Qkv, Fusion::Epilogues));
  EXPECT_THAT(resolve("fusion = \"none\"").fusion.decode, IsEmpty());
}

TEST(SettingsTest, Ladders) {
  Settings settings = resolve("specialize = \"bucket\"\nladder_min = 8\n"
                              "[prefill]\nladder_max = 64\n[decode]\nladder_min = 32\n");
  EXPECT_EQ(settings.specialize.prefillSeqMin, 8);
  EXPECT_EQ(settings.specialize.prefillSeqMax, 64);
  EXPECT_EQ(settings.specialize.prefillPastMax, 0);
  EXPECT_EQ(settings.specialize.decodePastMin, 32);
  EXPECT_EQ(settings.specialize.decodePastMax, 128);
  Settings past = resolve("[prefill]\nspecialize_past = \"bucket\"\npast_ladder_max = 256\n");
  EXPECT_EQ(past.specialize.prefillSeqMax, 0);
  EXPECT_EQ(past.specialize.prefillPastMin, 16);
  EXPECT_EQ(past.specialize.prefillPastMax, 256);
}

TEST(SettingsTest, WeightTypes) {
  Settings settings = resolve("precision = \"f16\"\nquantize = \"q4_0\"\nembedding = \"bf16\"\n"
                              "kv_type = \"bf16\"\n");
  EXPECT_EQ(settings.weights.dtype, "f16");
  EXPECT_EQ(settings.weights.quantize, "q4_0");
  EXPECT_EQ(settings.weights.embedding, "bf16");
  EXPECT_EQ(settings.import.kvType, KVType::BF16);
  EXPECT_EQ(settings.screenHead, "");
  settings = resolve("quantize = \"q8_0\"\nkv_type = \"q8_0\"\nscreen_head = \"q4_0\"\n");
  EXPECT_EQ(settings.import.kvType, KVType::Q8_0);
  EXPECT_EQ(settings.screenHead, "q4_0");
}

TEST(SettingsTest, OverridesAreReported) {
  Settings settings = resolve("precision = \"bf16\"\npacking = \"row\"\n"
                              "[decode]\nprecision = \"f16\"\nfusion = \"none\"\n");
  EXPECT_EQ(settings.weights.dtype, "bf16");
  EXPECT_THAT(settings.overrides, ElementsAre(HasSubstr("decode.precision 'f16' gives way"),
                                              HasSubstr("prefill.packing 'row' gives way to 'r16'"),
                                              HasSubstr("decode.packing 'row' gives way to 'r16'"),
                                              HasSubstr("fusion 'qkv' differs"),
                                              HasSubstr("fusion 'gate-up' differs")));
}
