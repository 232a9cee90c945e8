//===- TargetDescription.cpp - The table of CPU targets -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Targets are a base (an ISA level) plus features; everything else follows from
// which features are there, so that "native" needs no table of its own.
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/TargetDescription.h"
#include "rlx/Target/Tuning.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace rlx;

namespace {
/// An ISA level: what LLVM calls it and the features its code relies on.
struct BaseTarget {
  StringLiteral name, triple, cpu;
  std::vector<StringRef> features;
  std::vector<StringRef> suffixes; ///< features that may be added by name, see llvmFeature
};
} // namespace

static constexpr StringLiteral kLinuxX86 = "x86_64-unknown-linux-gnu";
static constexpr StringLiteral kLinuxArm = "aarch64-unknown-linux-gnu";

static ArrayRef<BaseTarget> baseTargets() {
  static const std::vector<BaseTarget> table = {
      {"x86-64-v3", kLinuxX86, "x86-64-v3", {"avx2", "bmi2", "f16c", "fma"}, {"avxvnni"}},
      {"x86-64-v4",
       kLinuxX86,
       "x86-64-v4",
       {"avx2", "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl", "bmi2", "f16c", "fma"},
       {"vnni", "bf16", "amx"}},
      {"aarch64", kLinuxArm, "generic", {"neon"}, {"dotprod", "i8mm"}},
  };
  return table;
}

/// What LLVM calls a suffix: x86-64-v4+vnni means +avx512vnni. The matrix unit comes with what
/// its kernels unpack weights with.
static SmallVector<StringLiteral> llvmFeatures(StringRef suffix) {
  static constexpr StringLiteral same[] = {"avxvnni", "dotprod", "i8mm"};
  if (suffix == "vnni")
    return {"avx512vnni"};
  if (suffix == "bf16")
    return {"avx512bf16"};
  if (suffix == "amx")
    return {"amx-bf16", "amx-int8", "avx512bf16", "avx512vnni"};
  return {*find(same, suffix)};
}

static void require(TargetDescription &target, StringRef feature) {
  if (!is_contained(target.requiredFeatures, feature))
    target.requiredFeatures.push_back(feature.str());
}

static void setTiles(TargetDescription &target, TileShape dense, TileShape integer) {
  for (unsigned i = 0; i < kWeightFormatCount; ++i) {
    bool quantized = isQuantized(static_cast<WeightFormat>(i));
    target.gemmTile[i] = quantized ? integer : dense;
  }
}

/// Chooses instructions and tiles from requiredFeatures.
static void deriveKernelChoices(TargetDescription &target) {
  auto has = [&](StringRef feature) { return is_contained(target.requiredFeatures, feature); };
  if (Triple(target.triple).isAArch64()) {
    // 32 registers of 4 lanes: a panel is four of them.
    target.vectorBits = 128;
    target.f16Convert = true;
    target.int8Dot = has("i8mm")      ? Int8Dot::NeonUsdot
                     : has("dotprod") ? Int8Dot::NeonDot
                                      : Int8Dot::Generic;
    setTiles(target, {6, 1}, {3, 1});
    target.attentionRows = 4;
    target.attentionVectors = 1;
    return;
  }
  target.f16Convert = true;
  if (!has("avx512f")) {
    // 16 registers of 8 lanes: a panel is two of them.
    target.vectorBits = 256;
    target.int8Dot = has("avxvnni") ? Int8Dot::Vnni256 : Int8Dot::Avx2;
    // Larger than registers suffice for: sums in memory cost less than unpacking weights, and
    // taking their absolute values without VNNI, once more (measured: 1.1 times the rate of 3x1).
    setTiles(target, {6, 1},
             target.int8Dot == Int8Dot::Vnni256 ? TileShape{6, 1} : TileShape{6, 2});
    target.attentionRows = 4;
    target.attentionVectors = 1;
    return;
  }
  target.vectorBits = 512;
  target.int8Dot = has("avx512vnni") ? Int8Dot::Vnni512 : Int8Dot::Avx2;
  // AMD's 512-bit cores do a folded broadcast at full speed, which leaves registers for more
  // tokens; Intel's need each broadcast in a register, shared by the panels.
  bool amd = StringRef(target.cpu).starts_with("znver");
  // Intel's prefetchers stop at the end of each page, and begin anew once its address is known.
  // Several streams at a time are as fast as memory goes (measured: 15 GB/s with 8, 7 with one).
  target.prefetchBytes = amd ? 0 : 4096;
  target.rowStreams = amd ? 1 : 4;
  // Intel's vdpbf16ps has a quarter of vfmadd's rate (measured: 1.7 and 6.7 G/s): conversions and
  // f32 arithmetic are faster there, and exact in the activations.
  // Beside a matrix unit, whose bits one token shall have, activations are rounded nevertheless.
  bool generic = StringRef(target.cpu).starts_with("x86-64");
  target.tiles = has("amx-bf16") && has("amx-int8") && has("avx512bf16") && has("avx512vnni");
  target.bf16Dot = has("avx512bf16") && (amd || generic || target.tiles);
  TileShape integer = target.int8Dot == Int8Dot::Avx2 ? TileShape{6, 2}
                      : amd                           ? TileShape{12, 1}
                                                      : TileShape{12, 2};
  setTiles(target, {12, 2}, integer);
  // In the matrix unit's order each output has three accumulators.
  if (target.tiles)
    target.gemmTile[unsigned(WeightFormat::BF16)] = {4, 2};
  target.attentionRows = 8;
  target.attentionVectors = 2;
}

CodeGenOptions TargetDescription::codeGenOptions() const {
  CodeGenOptions options;
  options.triple = triple;
  options.cpu = cpu;
  options.features = features;
  return options;
}

std::vector<std::string> rlx::knownTargetNames() {
  std::vector<std::string> names;
  for (const BaseTarget &base : baseTargets())
    names.push_back(base.name.str());
  return names;
}

/// Features that LLVM may use on its own once a native target allows them, by the
/// names that the runtime's CPU check knows.
static constexpr StringLiteral kNativeFeatures[] = {
    "avx512bitalg", "avx512ifma", "avx512vbmi", "avx512vbmi2", "avx512vpopcntdq",
    "avxvnni",      "bmi",        "gfni",       "lzcnt",       "movbe",
};

/// This machine, but for the features that `without` names.
static Expected<TargetDescription> resolveNative(ArrayRef<StringRef> without) {
  StringMap<bool> host = sys::getHostCPUFeatures();
  Triple::ArchType arch = Triple(sys::getProcessTriple()).getArch();
  const BaseTarget *best = nullptr;
  for (const BaseTarget &base : baseTargets())
    if (Triple(base.triple).getArch() == arch &&
        all_of(base.features, [&](StringRef feature) { return host.lookup(feature); }))
      best = &base;
  if (!best)
    return createStringError("expected a CPU of at least x86-64-v3 or aarch64 but this machine's "
                             "is '%s'; name the CPU to compile for with --target-cpu",
                             sys::getHostCPUName().str().c_str());
  SmallVector<StringRef> known;
  for (const BaseTarget &base : baseTargets())
    known.append(base.suffixes.begin(), base.suffixes.end());
  for (StringRef suffix : without) {
    if (!is_contained(known, suffix))
      return createStringError("expected a feature ('%s') after 'native-' but got '%s'",
                               join(known, "', '").c_str(), suffix.str().c_str());
    if (auto found = host.find(llvmFeatures(suffix).front()); found != host.end())
      found->second = false;
  }
  TargetDescription target;
  target.name = best->name.str();
  target.triple = best->triple.str();
  // The name selects scheduling only; its feature list may hold what a hypervisor masks.
  target.cpu = sys::getHostCPUName().str();
  std::vector<std::string> flags;
  for (const auto &feature : host)
    flags.push_back((feature.second ? "+" : "-") + feature.first().str());
  sort(flags);
  target.features = join(flags, ",");
  target.requiredFeatures.assign(best->features.begin(), best->features.end());
  for (StringRef suffix : best->suffixes)
    if (all_of(llvmFeatures(suffix), [&](StringRef feature) { return host.lookup(feature); })) {
      for (StringRef feature : llvmFeatures(suffix))
        require(target, feature);
      target.name += "+" + suffix.str();
    }
  for (StringRef feature : kNativeFeatures)
    if (host.lookup(feature))
      require(target, feature);
  deriveKernelChoices(target);
  return target;
}

/// A target without tuning.
static Expected<TargetDescription> resolvePlain(StringRef name) {
  if (name == "native" || name.starts_with("native-")) {
    SmallVector<StringRef> without;
    name.drop_front(strlen("native")).split(without, '-', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    return resolveNative(without);
  }
  StringRef baseName = name.split('+').first, rest = name.split('+').second;
  const BaseTarget *base =
      find_if(baseTargets(), [&](const BaseTarget &b) { return b.name == baseName; });
  if (base == baseTargets().end())
    return createStringError("expected a target CPU 'native', '%s' but got '%s'",
                             join(knownTargetNames(), "', '").c_str(), name.str().c_str());
  TargetDescription target;
  target.name = name.str();
  target.triple = base->triple.str();
  target.cpu = base->cpu.str();
  target.requiredFeatures.assign(base->features.begin(), base->features.end());
  SmallVector<StringRef> suffixes;
  if (!rest.empty())
    rest.split(suffixes, '+');
  for (StringRef suffix : suffixes) {
    if (!is_contained(base->suffixes, suffix))
      return createStringError("expected a feature of %s ('%s') but got '%s'",
                               base->name.str().c_str(), join(base->suffixes, "', '").c_str(),
                               suffix.str().c_str());
    for (StringRef feature : llvmFeatures(suffix)) {
      require(target, feature);
      target.features += (target.features.empty() ? "+" : ",+") + feature.str();
    }
  }
  deriveKernelChoices(target);
  return target;
}

Expected<TargetDescription> rlx::resolveTarget(StringRef name) {
  auto [plain, tuning] = name.split(':');
  Expected<TargetDescription> target = resolvePlain(plain);
  if (target && name.size() > plain.size())
    if (Error error = applyTuning(*target, tuning))
      return std::move(error);
  return target;
}
