//===- ProfileKeys.cpp - The keys of compile profiles ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The table of keys, which documents them too, and the checks of values.
//===----------------------------------------------------------------------===//
#include "ProfileKeys.h"
#include "rlx/Target/TargetDescription.h"
#include "rlx/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/GlobPattern.h"

using namespace rlx;

static constexpr int64_t kLargest = int64_t(1) << 40;

static constexpr ProfileKey kKeys[] = {
    {"quantize", KeyScope::Model, Phase::Plan, KeyKind::Choice, "none", "none|q8_0|q4_0|q4_k", 0, 0,
     "quantise matrices; the embedding table and a tied head become q8_0, with q4_k q6_k"},
    {"embedding", KeyScope::Model, Phase::Plan, KeyKind::Choice, "auto",
     "auto|f32|f16|bf16|q8_0|q4_0|q5_0|q4_k|q6_k", 0, 0,
     "type of the embedding table and a tied head"},
    {"screen_head", KeyScope::Model, Phase::Plan, KeyKind::Choice, "none", "none|q4_0", 0, 0,
     "type of a coarse copy of a quantised head, with which decode finds the logits that matter"},
    {"kv_type", KeyScope::Model, Phase::Import, KeyKind::Choice, "f16", "f32|f16|bf16|q8_0", 0, 0,
     "type of cached keys and values"},
    {"max_context", KeyScope::Model, Phase::Import, KeyKind::Integer, "0", "", 0, kLargest,
     "positions of a sequence; 0: as many as the checkpoint allows"},
    {"chunk", KeyScope::Model, Phase::Import, KeyKind::Integer, "512", "", 1, 65536,
     "most tokens that one step takes; longer prompts go in several"},
    {"outputs", KeyScope::Model, Phase::Import, KeyKind::Integer, "32", "", 1, 65536,
     "most positions of one step whose logits are computed"},
    {"target_cpu", KeyScope::Model, Phase::Kernels, KeyKind::Targets, "native", "", 0, 0,
     "CPUs to generate code for; the binary picks the best that it runs on"},
    {"fusion", KeyScope::Role, Phase::Fuse, KeyKind::Fusion, "all", "", 0, 0,
     "all; one: what keeps each tensor a weight of its own; none; or a list"},
    {"precision", KeyScope::Role, Phase::Plan, KeyKind::Choice, "auto", "auto|f32|f16|bf16", 0, 0,
     "type of unquantised matrices; auto: as stored"},
    {"packing", KeyScope::Role, Phase::Plan, KeyKind::Choice, "auto", "auto|r16|row", 0, 0,
     "layout of matrices (rlx/Packing/Layouts.h)"},
    {"generic_ops", KeyScope::Role, Phase::Plan, KeyKind::Names, "none", "", 0, 0,
     "ops that slow scalar kernels compute, to find a wrong one: linears by their weight "
     "('layers.3.o', 'layers.*'), attention by its KV slot ('kv3')"},
    {"specialize", KeyScope::Role, Phase::Specialize, KeyKind::Choice, "none", "none|bucket", 0, 0,
     "bucket: variants for a ladder of powers of two (prefill: of SEQ; decode: of PAST_SEQ)"},
    {"ladder_min", KeyScope::Role, Phase::Specialize, KeyKind::Integer, "16", "", 1, kLargest,
     "lowest rung of the ladder"},
    {"ladder_max", KeyScope::Role, Phase::Specialize, KeyKind::Integer, "128", "", 1, kLargest,
     "highest rung of the ladder"},
    {"specialize_past", KeyScope::Prefill, Phase::Specialize, KeyKind::Choice, "none",
     "none|bucket", 0, 0, "bucket: prefill variants for a ladder of PAST_SEQ as well"},
    {"past_ladder_min", KeyScope::Prefill, Phase::Specialize, KeyKind::Integer, "16", "", 1,
     kLargest, "lowest rung of that ladder"},
    {"past_ladder_max", KeyScope::Prefill, Phase::Specialize, KeyKind::Integer, "128", "", 1,
     kLargest, "highest rung of that ladder"},
    {"opt_level", KeyScope::Cpu, Phase::Object, KeyKind::Integer, "3", "", 0, 3,
     "LLVM's optimisation level"},
};

llvm::ArrayRef<ProfileKey> rlx::getProfileKeys() { return kKeys; }

static bool belongsTo(const ProfileKey &key, llvm::StringRef section) {
  switch (key.scope) {
  case KeyScope::Model:
    return section.empty();
  case KeyScope::Role:
    return section.empty() || section == "prefill" || section == "decode";
  case KeyScope::Prefill:
    return section == "prefill";
  case KeyScope::Cpu:
    return section == "cpu";
  }
  return false;
}

static llvm::StringRef home(const ProfileKey &key) {
  switch (key.scope) {
  case KeyScope::Prefill:
    return "in [prefill]";
  case KeyScope::Cpu:
    return "in [cpu]";
  default:
    return "at the top, before any [section]";
  }
}

llvm::Expected<const ProfileKey *> rlx::findProfileKey(llvm::StringRef section,
                                                       llvm::StringRef name) {
  const ProfileKey *nearest = nullptr;
  unsigned distance = 4; // further is another word
  for (const ProfileKey &key : kKeys) {
    if (key.name == name && belongsTo(key, section))
      return &key;
    if (key.name == name)
      return llvm::createStringError("key '" + name + "' belongs " + home(key));
    unsigned d = key.name.edit_distance(name, true, distance);
    if (belongsTo(key, section) && d < distance) {
      nearest = &key;
      distance = d;
    }
  }
  std::string message = ("unknown key '" + name + "'").str();
  if (nearest)
    return llvm::createStringError(message + "; did you mean '" + nearest->name + "'?");
  return llvm::createStringError(message + "; rlx-compile --print-profile shows every key");
}

static llvm::Error checkFusion(llvm::StringRef text) {
  if (text == "all" || text == "one" || text == "none")
    return llvm::Error::success();
  llvm::SmallVector<llvm::StringRef> names;
  text.split(names, ',');
  for (llvm::StringRef name : names) {
    if (symbolizeFusion(name))
      continue;
    std::string known;
    for (Fusion fusion : getAllFusions())
      known += (known.empty() ? "'" : ", '") + stringifyFusion(fusion).str() + "'";
    return llvm::createStringError("expected 'all', 'one', 'none' or a list of " + known +
                                   " but got '" + name + "'");
  }
  return llvm::Error::success();
}

static llvm::Error checkTargets(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> names;
  text.split(names, ',');
  for (llvm::StringRef name : names) {
    // What this machine is does not decide whether a profile is well-formed.
    if (name == "native")
      continue;
    if (llvm::Expected<TargetDescription> target = resolveTarget(name); !target)
      return target.takeError();
  }
  return llvm::Error::success();
}

static llvm::Error checkNames(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> names;
  text.split(names, ',');
  for (llvm::StringRef name : names) {
    if (name.empty())
      return llvm::createStringError("expected names but got an empty one");
    if (llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(name); !pattern)
      return pattern.takeError();
  }
  return llvm::Error::success();
}

llvm::Error rlx::checkProfileValue(const ProfileKey &key, llvm::StringRef text) {
  switch (key.kind) {
  case KeyKind::Fusion:
    return checkFusion(text);
  case KeyKind::Targets:
    return checkTargets(text);
  case KeyKind::Names:
    return checkNames(text);
  case KeyKind::Integer: {
    int64_t value;
    if (text.getAsInteger(10, value) || value < key.min || value > key.max)
      return llvm::createStringError(
          llvm::formatv("expected a number from {0} to {1} but got '{2}'", key.min, key.max, text)
              .str());
    return llvm::Error::success();
  }
  case KeyKind::Choice: {
    llvm::SmallVector<llvm::StringRef> choices;
    key.choices.split(choices, '|');
    if (llvm::is_contained(choices, text))
      return llvm::Error::success();
    return llvm::createStringError("expected '" + llvm::join(choices, "', '") + "' but got '" +
                                   text + "'");
  }
  }
  llvm_unreachable("every kind is checked");
}

llvm::StringRef rlx::sectionOf(const ProfileKey &key) {
  return key.scope == KeyScope::Prefill ? "prefill" : key.scope == KeyScope::Cpu ? "cpu" : "";
}

llvm::SmallVector<std::string, 2> rlx::qualifiedNames(const ProfileKey &key,
                                                      llvm::StringRef section) {
  if (key.scope == KeyScope::Role && section.empty())
    return {"prefill." + key.name.str(), "decode." + key.name.str()};
  if (section.empty())
    return {key.name.str()};
  return {(section + "." + key.name).str()};
}
