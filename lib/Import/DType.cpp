//===- DType.cpp - Element types of checkpoint tensors --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Tables of the element types: what RLX decodes, and what GGUF and safetensors
// may hold besides (kept by name and size, so that it can be refused by name).
//===----------------------------------------------------------------------===//
#include "rlx/Import/DType.h"
#include <cassert>

using namespace rlx;

namespace {

constexpr DTypeInfo infos[] = {
    {"f32", 1, 4},      {"f16", 1, 2},      {"bf16", 1, 2},       {"q8_0", 32, 34},
    {"q4_0", 32, 18},   {"q4_1", 32, 20},   {"q5_0", 32, 22},     {"q5_1", 32, 24},
    {"q2_k", 256, 84},  {"q3_k", 256, 110}, {"q4_k", 256, 144},   {"q5_k", 256, 176},
    {"q6_k", 256, 210}, {"iq4_nl", 32, 18}, {"iq4_xs", 256, 136},
};

struct GgmlType {
  uint32_t id;
  StorageType type;
};

constexpr DType no = DType::Unsupported;

constexpr GgmlType ggmlTypes[] = {
    {0, {DType::F32, "F32", 1, 4}},
    {1, {DType::F16, "F16", 1, 2}},
    {2, {DType::Q4_0, "Q4_0", 32, 18}},
    {3, {DType::Q4_1, "Q4_1", 32, 20}},
    {6, {DType::Q5_0, "Q5_0", 32, 22}},
    {7, {DType::Q5_1, "Q5_1", 32, 24}},
    {8, {DType::Q8_0, "Q8_0", 32, 34}},
    {9, {no, "Q8_1", 32, 40}},
    {10, {DType::Q2_K, "Q2_K", 256, 84}},
    {11, {DType::Q3_K, "Q3_K", 256, 110}},
    {12, {DType::Q4_K, "Q4_K", 256, 144}},
    {13, {DType::Q5_K, "Q5_K", 256, 176}},
    {14, {DType::Q6_K, "Q6_K", 256, 210}},
    {15, {no, "Q8_K", 256, 292}},
    {16, {no, "IQ2_XXS", 256, 66}},
    {17, {no, "IQ2_XS", 256, 74}},
    {18, {no, "IQ3_XXS", 256, 98}},
    {19, {no, "IQ1_S", 256, 50}},
    {20, {DType::IQ4_NL, "IQ4_NL", 32, 18}},
    {21, {no, "IQ3_S", 256, 110}},
    {22, {no, "IQ2_S", 256, 82}},
    {23, {DType::IQ4_XS, "IQ4_XS", 256, 136}},
    {24, {no, "I8", 1, 1}},
    {25, {no, "I16", 1, 2}},
    {26, {no, "I32", 1, 4}},
    {27, {no, "I64", 1, 8}},
    {28, {no, "F64", 1, 8}},
    {29, {no, "IQ1_M", 256, 56}},
    {30, {DType::BF16, "BF16", 1, 2}},
    {34, {no, "TQ1_0", 256, 54}},
    {35, {no, "TQ2_0", 256, 66}},
    {39, {no, "MXFP4", 32, 17}},
    {40, {no, "NVFP4", 64, 36}},
    {41, {no, "Q1_0", 128, 18}},
};

constexpr StorageType safetensorsTypes[] = {
    {DType::F32, "F32", 1, 4}, {DType::F16, "F16", 1, 2}, {DType::BF16, "BF16", 1, 2},
    {no, "F64", 1, 8},         {no, "I64", 1, 8},         {no, "I32", 1, 4},
    {no, "I16", 1, 2},         {no, "I8", 1, 1},          {no, "U64", 1, 8},
    {no, "U32", 1, 4},         {no, "U16", 1, 2},         {no, "U8", 1, 1},
    {no, "BOOL", 1, 1},        {no, "F8_E4M3", 1, 1},     {no, "F8_E5M2", 1, 1},
};

} // namespace

const DTypeInfo &rlx::getDTypeInfo(DType type) {
  assert(type != DType::Unsupported && "an unsupported type has no known layout");
  return infos[static_cast<unsigned>(type)];
}

std::optional<DType> rlx::parseDType(llvm::StringRef name) {
  for (unsigned i = 0; i < std::size(infos); ++i)
    if (name.equals_insensitive(infos[i].name))
      return static_cast<DType>(i);
  return std::nullopt;
}

std::optional<StorageType> rlx::lookUpGgmlType(uint32_t id) {
  for (const GgmlType &entry : ggmlTypes)
    if (entry.id == id)
      return entry.type;
  return std::nullopt;
}

std::optional<StorageType> rlx::lookUpSafetensorsType(llvm::StringRef name) {
  for (const StorageType &type : safetensorsTypes)
    if (type.name == name)
      return type;
  return std::nullopt;
}
