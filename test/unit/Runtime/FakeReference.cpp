//===-- FakeReference.cpp - what the fake model should say -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the reference of the fake model.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"

#include <cstdlib>

namespace rlx::test {

FakeRows fakeReference(const std::vector<int32_t> &ids) {
  const uint64_t m = FAKE_MODULUS;
  FakeRows rows;
  std::vector<uint64_t> x;
  for (int32_t id : ids)
    x.push_back((7 * uint64_t(id) + 3) % m);
  Span<const rlx_kv_slot_info_t> slots(rlx_query(RLX_ABI_VERSION)->kv_slots, FAKE_SLOTS);
  for (uint64_t s = 0; s < slots.size(); ++s) {
    for (uint64_t p = 0; p < ids.size(); ++p) {
      std::vector<float> k, v;
      for (uint64_t h = 0; h < slots[s].kv_heads; ++h)
        for (uint64_t d = 0; d < slots[s].head_dim; ++d) {
          k.push_back(float((x[p] + 7 * p + 3 * d + h) % m));
          v.push_back(float((x[p] * (d + 1) + h) % m));
        }
      rows.k[s].push_back(k);
      rows.v[s].push_back(v);
    }
    for (uint64_t p = 0; p < ids.size(); ++p) {
      uint64_t window = slots[s].window ? slots[s].window : ids.size();
      uint64_t sum = 0;
      for (uint64_t j = p + 1 > window ? p + 1 - window : 0; j <= p; ++j)
        for (size_t i = 0; i < rows.k[s][j].size(); ++i)
          sum += uint64_t(rows.k[s][j][i]) * (1 + j % 13) + uint64_t(rows.v[s][j][i]);
      x[p] = (5 * x[p] + sum % m + s) % m;
    }
  }
  for (uint64_t p = 0; p < ids.size(); ++p) {
    for (uint64_t v = 0; v < FAKE_VOCAB; ++v)
      rows.logits.push_back(float((31 * x[p] + 17 * v + p) % 97) / 8 + fakeOffset);
    for (uint64_t d = 0; d < FAKE_HIDDEN; ++d)
      rows.hidden.push_back(float(x[p] + d));
  }
  return rows;
}

std::vector<int32_t> fakeIds(size_t count, uint32_t seed) {
  std::vector<int32_t> ids;
  uint32_t state = seed;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    ids.push_back(int32_t((state >> 16) % FAKE_VOCAB));
  }
  return ids;
}

Model openFake(const rlx_model_t *table, const std::string &manifest) {
  alignas(RLX_ALIGNMENT) static const uint8_t weights[FAKE_WEIGHTS] = {uint8_t(fakeOffset)};
  Expected<Model> model = Model::openTable(table, {weights, sizeof(weights)}, manifest);
  if (!model) {
    ADD_FAILURE() << model.status().message();
    std::abort();
  }
  return *model;
}

Session makeSession(const Model &model, const SessionOptions &options) {
  Expected<Session> session = Session::create(model, options);
  if (!session) {
    ADD_FAILURE() << session.status().message();
    std::abort();
  }
  return std::move(*session);
}

} // namespace rlx::test
