//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Profiles: what is read, how layers lie over each other, and what is refused where.

#include "rlx/Driver/Profile.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace rlx;
using testing::HasSubstr;

static std::string applyText(Profile &profile, llvm::StringRef text) {
  return llvm::toString(profile.applyToml(text, "p.toml"));
}

TEST(ProfileTest, CommonKeysHoldForBothRoles) {
  Profile profile;
  ASSERT_EQ(applyText(profile, "fusion = \"none\"\nquantize = \"q8_0\"\nmax_context = 1_024\n"),
            "");
  EXPECT_EQ(profile.get("prefill.fusion"), "none");
  EXPECT_EQ(profile.get("decode.fusion"), "none");
  EXPECT_EQ(profile.get("quantize"), "q8_0");
  EXPECT_EQ(profile.getInteger("max_context"), 1024);
}

TEST(ProfileTest, RolesOverrideWhereverTheyStand) {
  Profile profile;
  ASSERT_EQ(applyText(profile, "[decode]\nspecialize = \"bucket\"\nladder_max = 64\n"
                               "[prefill]\nfusion = [\"qkv\", \"geglu\"]\n"
                               "[cpu]\nopt_level = 1\n"),
            "");
  EXPECT_EQ(profile.get("decode.specialize"), "bucket");
  EXPECT_EQ(profile.get("prefill.specialize"), "none");
  EXPECT_EQ(profile.getInteger("decode.ladder_max"), 64);
  EXPECT_EQ(profile.get("prefill.fusion"), "qkv,geglu");
  EXPECT_EQ(profile.get("decode.fusion"), "all");
  EXPECT_EQ(profile.getInteger("cpu.opt_level"), 1);
}

TEST(ProfileTest, LaterLayersWin) {
  Profile profile;
  ASSERT_EQ(applyText(profile, "quantize = \"q8_0\"\n[prefill]\nfusion = \"one\"\n"), "");
  // A common key of a later layer beats a role's key of an earlier one.
  ASSERT_EQ(applyText(profile, "fusion = \"all\"\n"), "");
  EXPECT_EQ(profile.get("prefill.fusion"), "all");
  EXPECT_EQ(profile.get("quantize"), "q8_0");
  ASSERT_EQ(llvm::toString(profile.applyFlag("fusion", "none", "--fusion")), "");
  EXPECT_EQ(profile.get("prefill.fusion"), "none");
  ASSERT_EQ(llvm::toString(profile.applyFlag("decode.fusion", "qkv,gate-up", "--set")), "");
  EXPECT_EQ(profile.get("decode.fusion"), "qkv,gate-up");
  EXPECT_EQ(profile.get("prefill.fusion"), "none");
}

TEST(ProfileTest, PrintedProfilesSayWhereValuesAreFromAndCanBeRead) {
  Profile profile;
  ASSERT_EQ(
      applyText(profile, "\nquantize = \"q4_0\"\ntarget_cpu = [\"x86-64-v3\", \"x86-64-v4\"]\n"),
      "");
  ASSERT_EQ(llvm::toString(profile.applyFlag("kv_type", "f32", "--kv-type")), "");
  std::string text = profile.print();
  EXPECT_THAT(text, HasSubstr("quantize = \"q4_0\"  # p.toml:2\n"));
  EXPECT_THAT(text, HasSubstr("kv_type = \"f32\"  # --kv-type\n"));
  EXPECT_THAT(text, HasSubstr("chunk = 512  # built-in default\n"));
  EXPECT_THAT(text, HasSubstr("target_cpu = [\"x86-64-v3\", \"x86-64-v4\"]  # p.toml:3\n"));
  Profile again;
  ASSERT_EQ(applyText(again, text), "");
  EXPECT_EQ(again.toJson(), profile.toJson());
}

TEST(ProfileTest, JsonHasEveryKey) {
  nlohmann::json json = Profile().toJson();
  EXPECT_EQ(json["quantize"], "none");
  EXPECT_EQ(json["prefill"]["fusion"], "all");
  EXPECT_EQ(json["decode"]["ladder_min"], 16);
  EXPECT_EQ(json["prefill"]["past_ladder_max"], 128);
  EXPECT_EQ(json["cpu"]["opt_level"], 3);
}

TEST(ProfileTest, ErrorsNameFileLineAndKey) {
  const std::pair<const char *, const char *> cases[] = {
      {"quantise = \"q8_0\"", "p.toml:1: unknown key 'quantise'; did you mean 'quantize'?"},
      {"\n\nwidgets = 3", "p.toml:3: unknown key 'widgets'; rlx-compile --print-profile"},
      {"[decode]\nfusions = \"all\"", "p.toml:2: unknown key 'fusions'; did you mean 'fusion'?"},
      {"[decode]\nquantize = \"q8_0\"", "p.toml:2: key 'quantize' belongs at the top"},
      {"opt_level = 3", "p.toml:1: key 'opt_level' belongs in [cpu]"},
      {"specialize_past = \"bucket\"", "p.toml:1: key 'specialize_past' belongs in [prefill]"},
      {"[gpu]\nfusion = \"all\"", "p.toml:1: expected a section [prefill], [decode] or [cpu]"},
      {"quantize = \"q9\"",
       "p.toml:1: 'quantize': expected 'none', 'q8_0', 'q4_0', 'q4_k' but got 'q9'"},
      {"quantize = 8", "p.toml:1: 'quantize': expected a name in quotes but got an integer"},
      {"quantize = [\"q8_0\"]", "p.toml:1: 'quantize': expected a name in quotes but got an array"},
      {"chunk = 0", "p.toml:1: 'chunk': expected a number from 1 to 65536 but got '0'"},
      {"chunk = \"512\"", "p.toml:1: 'chunk': expected an integer but got a string"},
      {"chunk = 1.5", "expected an integer but got a floating-point number"},
      {"fusion = true", "'fusion': expected a name or a list of names but got a boolean"},
      {"fusion = []", "'fusion': expected a name or a list of names but got an array"},
      {"fusion = [\"qkv\", 1]", "'fusion': expected a list of names but got an integer in it"},
      {"fusion = [\"qkw\"]", "p.toml:1: 'fusion': expected 'all', 'one', 'none' or a list of"},
      {"fusion = \"qkv,geglu\"", "'fusion': expected a name or a list of names"},
      {"[prefill]\n\nladder_min = -4", "p.toml:3: 'ladder_min': expected a number from 1"},
      {"target_cpu = \"z80\"", "p.toml:1: 'target_cpu': expected a target CPU"},
      {"[prefill.deeper]\nx = 1", "p.toml:1: unknown key 'deeper'"},
      {"quantize = \"q8_0", "p.toml:1: "},
      {"quantize = \"q8_0\"\nquantize = \"q4_0\"", "p.toml:2: "},
      {"\xff", "p.toml:1: "},
      {"chunk = \xc7\x9c", "p.toml:1: "},
      {"\n[\x01]", "p.toml:2: expected text but got a control character"},
      {"\n\n [ \ndecode]", "p.toml:3: "},
      {"fusion = [}\"qkv\"]", "p.toml:1: "},
  };
  for (const auto &[text, message] : cases) {
    Profile profile;
    EXPECT_THAT(applyText(profile, text), HasSubstr(message)) << text;
  }
}

TEST(ProfileTest, FlagErrorsNameTheFlag) {
  Profile profile;
  EXPECT_THAT(llvm::toString(profile.applyFlag("kv_type", "f8", "--kv-type")),
              HasSubstr("--kv-type: expected 'f32', 'f16', 'bf16', 'q8_0' but got 'f8'"));
  EXPECT_THAT(llvm::toString(profile.applyFlag("gpu.fusion", "all", "--set")),
              HasSubstr("--set: key 'fusion' belongs"));
  EXPECT_THAT(llvm::toString(profile.applyFlag("chunk", "many", "--set")),
              HasSubstr("expected a number"));
}

TEST(ProfileTest, MissingFilesAreErrors) {
  Profile profile;
  EXPECT_THAT(llvm::toString(profile.applyFile("/nonexistent/p.toml")),
              HasSubstr("cannot read the profile /nonexistent/p.toml"));
}
