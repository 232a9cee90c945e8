//===-- runtime/lib/random.h - portable random numbers and exp -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A counter-based random generator (Philox4x32-10) and an exponential that give
// the same bits on every machine.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_RANDOM_H
#define RLX_RUNTIME_LIB_RANDOM_H

#include <array>
#include <cstdint>

namespace rlx {

/// Philox4x32 with ten rounds, of Salmon et al., "Parallel random numbers: as
/// easy as 1, 2, 3".
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Uniform in [0, 1), a function of its arguments only.
double uniformAt(uint64_t seed, uint64_t position);

/// e^x for x <= 0, within a few units of the last place; 0 below -745.
double portableExp(double x);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_RANDOM_H
