//===-- runtime/lib/cpu_features.cpp - what this CPU can do -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Detects CPU features: through cpuid (and the system's support for the
// registers) on x86-64, through the auxiliary vector on AArch64.
//===----------------------------------------------------------------------===//
#include "cpu_features.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace rlx {

#if defined(__x86_64__)

namespace {
/// Register state that the system must save for a feature to be usable.
enum class State { None, Avx, Avx512, Amx };

enum Register { EAX, EBX, ECX, EDX };

struct Feature {
  const char *name;
  unsigned leaf, subleaf;
  Register reg;
  unsigned bit;
  State state;
};
} // namespace

static const Feature features[] = {
    {"sse3", 1, 0, ECX, 0, State::None},
    {"ssse3", 1, 0, ECX, 9, State::None},
    {"cx16", 1, 0, ECX, 13, State::None},
    {"sse4.1", 1, 0, ECX, 19, State::None},
    {"sse4.2", 1, 0, ECX, 20, State::None},
    {"movbe", 1, 0, ECX, 22, State::None},
    {"popcnt", 1, 0, ECX, 23, State::None},
    {"fma", 1, 0, ECX, 12, State::Avx},
    {"avx", 1, 0, ECX, 28, State::Avx},
    {"f16c", 1, 0, ECX, 29, State::Avx},
    {"bmi", 7, 0, EBX, 3, State::None},
    {"avx2", 7, 0, EBX, 5, State::Avx},
    {"bmi2", 7, 0, EBX, 8, State::None},
    {"avx512f", 7, 0, EBX, 16, State::Avx512},
    {"avx512dq", 7, 0, EBX, 17, State::Avx512},
    {"avx512ifma", 7, 0, EBX, 21, State::Avx512},
    {"avx512cd", 7, 0, EBX, 28, State::Avx512},
    {"avx512bw", 7, 0, EBX, 30, State::Avx512},
    {"avx512vl", 7, 0, EBX, 31, State::Avx512},
    {"avx512vbmi", 7, 0, ECX, 1, State::Avx512},
    {"avx512vbmi2", 7, 0, ECX, 6, State::Avx512},
    {"gfni", 7, 0, ECX, 8, State::None},
    {"avx512vnni", 7, 0, ECX, 11, State::Avx512},
    {"avx512bitalg", 7, 0, ECX, 12, State::Avx512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, State::Avx512},
    {"amx-bf16", 7, 0, EDX, 22, State::Amx},
    {"avx512fp16", 7, 0, EDX, 23, State::Avx512},
    {"amx-tile", 7, 0, EDX, 24, State::Amx},
    {"amx-int8", 7, 0, EDX, 25, State::Amx},
    {"avxvnni", 7, 1, EAX, 4, State::Avx},
    {"avx512bf16", 7, 1, EAX, 5, State::Avx512},
    {"avxvnniint8", 7, 1, EDX, 4, State::Avx},
    {"lzcnt", 0x80000001, 0, ECX, 5, State::None},
};

static bool hasBit(const Feature &feature) {
  unsigned registers[4] = {};
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, &registers[EAX], &registers[EBX],
                         &registers[ECX], &registers[EDX]))
    return false;
  return registers[feature.reg] >> feature.bit & 1;
}

/// The XCR0 register: which register state the system saves.
static unsigned savedState() {
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 27 & 1))
    return 0;
  asm volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return eax;
}

static bool systemSaves(State state) {
  constexpr unsigned avx = 0x6, avx512 = 0xe6, amx = 0x60000;
  switch (state) {
  case State::None:
    return true;
  case State::Avx:
    return (savedState() & avx) == avx;
  case State::Avx512:
    return (savedState() & avx512) == avx512;
  case State::Amx:
    // Linux grants the tile registers on request only.
    constexpr long requestPermission = 0x1023, tileData = 18;
    return (savedState() & amx) == amx && syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  }
  return false;
}

static bool hasFeature(const std::string &name) {
  if (name == "sse" || name == "sse2" || name == "fxsr" || name == "cx8" || name == "64bit")
    return true; // part of x86-64
  for (const Feature &feature : features)
    if (name == feature.name)
      return hasBit(feature) && systemSaves(feature.state);
  return false;
}

#elif defined(__aarch64__)

static bool hasFeature(const std::string &name) {
  unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  if (name == "neon" || name == "fp-armv8")
    return first & HWCAP_ASIMD;
  if (name == "fullfp16")
    return first & HWCAP_ASIMDHP;
  if (name == "dotprod")
    return first & HWCAP_ASIMDDP;
  if (name == "lse")
    return first & HWCAP_ATOMICS;
  if (name == "rdm")
    return first & HWCAP_ASIMDRDM;
  if (name == "crc")
    return first & HWCAP_CRC32;
  if (name == "sve")
    return first & HWCAP_SVE;
  if (name == "sve2")
    return second & HWCAP2_SVE2;
  if (name == "i8mm")
    return second & HWCAP2_I8MM;
  if (name == "bf16")
    return second & HWCAP2_BF16;
  return false;
}

#else
#error "RLX's runtime supports x86-64 and AArch64"
#endif

std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &needed) {
  std::vector<std::string> missing;
  for (const std::string &name : needed)
    if (!hasFeature(name))
      missing.push_back(name);
  return missing;
}

} // namespace rlx
