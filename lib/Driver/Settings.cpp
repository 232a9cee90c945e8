//===- Settings.cpp - A profile in the terms of the passes ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Values were checked when they were set; here they only change their form.
//===----------------------------------------------------------------------===//
#include "Settings.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace rlx;

static std::vector<std::string> splitList(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> items;
  text.split(items, ',');
  return {items.begin(), items.end()};
}

/// Fusions that make one weight of several tensors.
static bool mergesWeights(Fusion fusion) {
  return fusion == Fusion::Qkv || fusion == Fusion::GateUp;
}

static std::vector<Fusion> resolveFusions(llvm::StringRef text) {
  std::vector<Fusion> fusions;
  if (text == "none")
    return fusions;
  bool all = text == "all" || text == "one";
  std::vector<std::string> names = splitList(text);
  for (Fusion fusion : getAllFusions())
    if (all ? !(text == "one" && mergesWeights(fusion))
            : llvm::is_contained(names, stringifyFusion(fusion)))
      fusions.push_back(fusion);
  return fusions;
}

static KVType resolveKvType(llvm::StringRef name) {
  return llvm::StringSwitch<KVType>(name)
      .Case("f32", KVType::F32)
      .Case("bf16", KVType::BF16)
      .Case("q8_0", KVType::Q8_0)
      .Default(KVType::F16);
}

static SpecializeOptions resolveLadders(const Profile &profile) {
  SpecializeOptions options;
  if (profile.get("prefill.specialize") == "bucket") {
    options.prefillSeqMin = profile.getInteger("prefill.ladder_min");
    options.prefillSeqMax = profile.getInteger("prefill.ladder_max");
  }
  if (profile.get("prefill.specialize_past") == "bucket") {
    options.prefillPastMin = profile.getInteger("prefill.past_ladder_min");
    options.prefillPastMax = profile.getInteger("prefill.past_ladder_max");
  }
  if (profile.get("decode.specialize") == "bucket") {
    options.decodePastMin = profile.getInteger("decode.ladder_min");
    options.decodePastMax = profile.getInteger("decode.ladder_max");
  }
  return options;
}

llvm::Error rlx::checkLadders(const Profile &profile) {
  const std::tuple<const char *, const char *, const char *> ladders[] = {
      {"prefill.specialize", "prefill.ladder_min", "prefill.ladder_max"},
      {"prefill.specialize_past", "prefill.past_ladder_min", "prefill.past_ladder_max"},
      {"decode.specialize", "decode.ladder_min", "decode.ladder_max"}};
  for (auto [key, minKey, maxKey] : ladders) {
    int64_t min = profile.getInteger(minKey), max = profile.getInteger(maxKey);
    if (profile.get(key) != "bucket" ||
        (llvm::isPowerOf2_64(min) && llvm::isPowerOf2_64(max) && min <= max))
      continue;
    return llvm::createStringError(
        llvm::formatv("expected '{0}' and '{1}' to be powers of two, ascending, but got {2} ({3}) "
                      "and {4} ({5})",
                      minKey, maxKey, min, profile.getOrigin(minKey), max,
                      profile.getOrigin(maxKey))
            .str());
  }
  return llvm::Error::success();
}

static std::vector<std::string> resolveNames(llvm::StringRef text) {
  return text == "none" ? std::vector<std::string>() : splitList(text);
}

/// "auto" and "none" stand for the passes' own choice.
static std::string orChoice(llvm::StringRef value) {
  return value == "auto" || value == "none" ? "" : value.str();
}

/// What the CPU backend cannot do as asked.
static void addOverrides(const Profile &profile, Settings &settings) {
  llvm::StringRef prefill = profile.get("prefill.precision");
  llvm::StringRef decode = profile.get("decode.precision");
  if (prefill != decode)
    settings.overrides.push_back(
        llvm::formatv("decode.precision '{0}' gives way to prefill.precision '{1}': the cpu "
                      "backend keeps one copy of the weights for both",
                      decode, prefill));
  for (const char *key : {"prefill.packing", "decode.packing"})
    if (profile.get(key) == "row")
      settings.overrides.push_back(llvm::formatv(
          "{0} 'row' gives way to 'r16': the cpu backend reads matrices in panels", key));
  for (Fusion fusion : {Fusion::Qkv, Fusion::GateUp})
    if (llvm::is_contained(settings.fusion.prefill, fusion) !=
        llvm::is_contained(settings.fusion.decode, fusion))
      settings.overrides.push_back(
          llvm::formatv("fusion '{0}' differs between prefill and decode: its weights are stored "
                        "twice",
                        stringifyFusion(fusion)));
}

Settings rlx::resolveSettings(const Profile &profile) {
  Settings settings;
  settings.import.maxContext = profile.getInteger("max_context");
  settings.import.chunk = profile.getInteger("chunk");
  settings.import.maxOutputs = profile.getInteger("outputs");
  settings.import.kvType = resolveKvType(profile.get("kv_type"));
  settings.fusion.prefill = resolveFusions(profile.get("prefill.fusion"));
  settings.fusion.decode = resolveFusions(profile.get("decode.fusion"));
  settings.specialize = resolveLadders(profile);
  settings.weights.dtype = orChoice(profile.get("prefill.precision"));
  settings.weights.quantize = orChoice(profile.get("quantize"));
  settings.weights.embedding = orChoice(profile.get("embedding"));
  settings.screenHead = orChoice(profile.get("screen_head"));
  settings.genericOps.prefill = resolveNames(profile.get("prefill.generic_ops"));
  settings.genericOps.decode = resolveNames(profile.get("decode.generic_ops"));
  settings.targets = splitList(profile.get("target_cpu"));
  settings.optLevel = static_cast<unsigned>(profile.getInteger("cpu.opt_level"));
  addOverrides(profile, settings);
  return settings;
}
