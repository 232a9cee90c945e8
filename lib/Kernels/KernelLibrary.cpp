//===- KernelLibrary.cpp - Names kernels and makes each once --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's name spells its spec in full, so that equal names mean equal bodies.
//
//===----------------------------------------------------------------------===//
#include "rlx/Kernels/KernelLibrary.h"
#include "Emitters.h"
#include "llvm/Support/SHA256.h"
#include <cmath>

using namespace mlir;
using namespace rlx;

/// A real number in a name: exact, and without characters that need quotes.
static std::string nameOf(double value) {
  return llvm::utohexstr(llvm::bit_cast<uint64_t>(value), /*LowerCase=*/true);
}

static std::string nameOf(KvType type) {
  static constexpr StringLiteral names[] = {"f32", "f16", "bf16", "q8_0"};
  return names[unsigned(type)].str();
}

static void setDefault(int64_t &stride, int64_t columns) {
  if (stride == 0)
    stride = columns;
}

KernelLibrary::KernelLibrary(ModuleOp module, const TargetDescription &target)
    : module(module), target(target) {
  module.getContext()
      ->loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                    scf::SCFDialect, vector::VectorDialect>();
}

func::FuncOp KernelLibrary::getOrEmit(StringRef name, unsigned pointers, unsigned counts,
                                      llvm::function_ref<void(func::FuncOp)> emit) {
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  SmallVector<Type> inputs(pointers, LLVM::LLVMPointerType::get(module.getContext()));
  inputs.append(counts + 2, builder.getIndexType());
  auto function =
      func::FuncOp::create(builder, module.getLoc(), name, builder.getFunctionType(inputs, {}));
  function.setPrivate();
  // Inlining would only multiply code: a kernel is called once for each layer.
  function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
  emit(function);
  return function;
}

/// Emits a body through `emit(builder)` and ends it.
template <typename Emit> static auto body(const TargetDescription &target, Emit emit) {
  return [&target, emit](func::FuncOp function) {
    KernelBuilder b(function, target);
    emit(b);
    func::ReturnOp::create(b);
  };
}

int64_t KernelLibrary::getProbe(DotProduct product) {
  auto known = llvm::find_if(probes, [&](const Probe &probe) { return probe.product == product; });
  if (known != probes.end())
    return known - probes.begin();
  static constexpr StringLiteral names[] = {"f32 fma", "bf16 dot", "int8 dot", "bf16 tiles"};
  static constexpr StringLiteral symbols[] = {"rlx_probe_f32", "rlx_probe_bf16", "rlx_probe_int8",
                                              "rlx_probe_tiles"};
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto function =
      func::FuncOp::create(builder, module.getLoc(), symbols[unsigned(product)],
                           builder.getFunctionType({pointer, builder.getIndexType()}, {}));
  function.setPrivate();
  KernelBuilder b(function, target);
  emitProbe(b, product);
  func::ReturnOp::create(b);
  probes.push_back({product, names[unsigned(product)], probeOperations(product, target), function});
  return static_cast<int64_t>(probes.size()) - 1;
}

static std::string formatName(ActivationFormat format) {
  static constexpr StringLiteral names[] = {"f32",         "bf16",   "bf16_tiles",   "int8",
                                            "int8_halves", "scaled", "scaled_halves"};
  return names[unsigned(format)].str();
}

func::FuncOp KernelLibrary::getLinear(LinearSpec spec) {
  setDefault(spec.inStride, spec.k);
  setDefault(spec.outStride, spec.n);
  setDefault(spec.residualStride, spec.n);
  if (!spec.generic && activationFormat(spec.format, target) != ActivationFormat::F32)
    spec.inStride = 0; // The prepared layout decides.
  std::string name =
      llvm::formatv("rlx_linear_{0}_k{1}_n{2}_i{3}_o{4}", weightFormatName(spec.format), spec.k,
                    spec.n, spec.inStride, spec.outStride);
  if (spec.geglu)
    name += "_geglu";
  if (spec.cap)
    name += "_cap" + nameOf(*spec.cap);
  if (spec.residual)
    name += "_r" + std::to_string(spec.residualStride);
  if (spec.screened)
    name += "_screened";
  if (spec.generic)
    name += "_generic";
  else if (spec.tiled)
    name += "_tiled";
  else if (spec.singleRow)
    name += "_single";
  if (spec.prepared)
    name += "_to_" + formatName(spec.prepared->format) + (spec.prepared->tiled ? "_tiled" : "");
  return getOrEmit(name, 4 + spec.residual + spec.screened, 1, body(target, [&](KernelBuilder &b) {
                     spec.generic ? emitGenericLinear(b, spec) : emitLinear(b, spec);
                   }));
}

func::FuncOp KernelLibrary::getScreenBounds(const ScreenSpec &spec) {
  std::string name = llvm::formatv("rlx_screen_bounds_k{0}_n{1}", spec.k, spec.n);
  if (spec.cap)
    name += "_cap" + nameOf(*spec.cap);
  return getOrEmit(name, 4, 1, body(target, [&](KernelBuilder &b) { emitScreenBounds(b, spec); }));
}

func::FuncOp KernelLibrary::getScreenSelect(const ScreenSpec &spec) {
  std::string name = llvm::formatv("rlx_screen_select_n{0}", spec.n);
  return getOrEmit(name, 1, 1, body(target, [&](KernelBuilder &b) { emitScreenSelect(b, spec); }));
}

func::FuncOp KernelLibrary::getPrepare(PrepareSpec spec) {
  setDefault(spec.inStride, spec.k);
  std::string name =
      llvm::formatv("rlx_prepare_{0}_k{1}_i{2}", formatName(spec.format), spec.k, spec.inStride);
  if (spec.tiled)
    name += "_tiled";
  if (spec.norm)
    name += "_norm" + nameOf(spec.eps) + (spec.gain == NormGain::OnePlus ? "_1p" : "");
  return getOrEmit(name, spec.norm ? 3 : 2, 1,
                   body(target, [&](KernelBuilder &b) { emitPrepare(b, spec); }));
}

func::FuncOp KernelLibrary::getRmsNorm(RmsNormSpec spec) {
  setDefault(spec.inStride, spec.columns * spec.groups);
  setDefault(spec.outStride, spec.columns * spec.groups);
  setDefault(spec.residualStride, spec.columns * spec.groups);
  std::string name = llvm::formatv("rlx_rms_norm_{0}x{1}_i{2}_o{3}_{4}{5}", spec.groups,
                                   spec.columns, spec.inStride, spec.outStride, nameOf(spec.eps),
                                   spec.gain == NormGain::OnePlus ? "_1p" : "");
  if (spec.residual)
    name += "_r" + std::to_string(spec.residualStride);
  return getOrEmit(name, spec.residual ? 4 : 3, 1,
                   body(target, [&](KernelBuilder &b) { emitRmsNorm(b, spec); }));
}

func::FuncOp KernelLibrary::getEmbedding(EmbeddingSpec spec) {
  setDefault(spec.outStride, spec.k);
  std::string name = llvm::formatv("rlx_embedding_{0}_k{1}_o{2}_{3}", weightFormatName(spec.format),
                                   spec.k, spec.outStride, nameOf(spec.scale));
  return getOrEmit(name, 3, 2, body(target, [&](KernelBuilder &b) { emitEmbedding(b, spec); }));
}

func::FuncOp KernelLibrary::getRopeAngles(RopeAnglesSpec spec) {
  // The frequencies are part of the name through their hash: they would be too long.
  SmallVector<double> turns;
  for (double frequency : spec.invFreq)
    turns.push_back(frequency / (2 * M_PI));
  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(turns.data()),
                          turns.size() * sizeof(double));
  std::string hash = llvm::toHex(llvm::SHA256::hash(bytes), /*LowerCase=*/true).substr(0, 16);
  std::string name = llvm::formatv("rlx_rope_angles_{0}_{1}", turns.size(), hash);
  std::string tableName = "rlx_rope_turns_" + hash;
  if (!module.lookupSymbol(tableName)) {
    auto builder = OpBuilder::atBlockBegin(module.getBody());
    Type f64 = builder.getF64Type();
    auto values = DenseElementsAttr::get(RankedTensorType::get(int64_t(turns.size()), f64),
                                         ArrayRef<double>(turns));
    LLVM::GlobalOp::create(builder, module.getLoc(), LLVM::LLVMArrayType::get(f64, turns.size()),
                           /*isConstant=*/true, LLVM::Linkage::Internal, tableName, values,
                           /*alignment=*/64);
  }
  return getOrEmit(name, 2, 2, body(target, [&](KernelBuilder &b) {
                     Value table = LLVM::AddressOfOp::create(
                         b, LLVM::LLVMPointerType::get(b.getContext()), tableName);
                     emitRopeAngles(b, spec, table);
                   }));
}

func::FuncOp KernelLibrary::getRope(RopeSpec spec) {
  setDefault(spec.ropeDim, spec.headDim);
  setDefault(spec.inStride, spec.heads * spec.headDim);
  setDefault(spec.outStride, spec.heads * spec.headDim);
  std::string name = llvm::formatv("rlx_rope_{0}x{1}_rot{2}_i{3}_o{4}", spec.heads, spec.headDim,
                                   spec.ropeDim, spec.inStride, spec.outStride);
  return getOrEmit(name, 3, 1, body(target, [&](KernelBuilder &b) { emitRope(b, spec); }));
}

func::FuncOp KernelLibrary::getKvAppend(KvAppendSpec spec) {
  setDefault(spec.ropeDim, spec.headDim);
  setDefault(spec.kStride, spec.kvHeads * spec.headDim);
  setDefault(spec.vStride, spec.kvHeads * spec.headDim);
  std::string name = llvm::formatv("rlx_kv_append_{0}_{1}x{2}_k{3}_v{4}", nameOf(spec.kvType),
                                   spec.kvHeads, spec.headDim, spec.kStride, spec.vStride);
  if (spec.rope)
    name += "_rot" + std::to_string(spec.ropeDim);
  return getOrEmit(name, spec.rope ? 4 : 3, 3,
                   body(target, [&](KernelBuilder &b) { emitKvAppend(b, spec); }));
}

func::FuncOp KernelLibrary::getAttention(AttentionSpec spec) {
  setDefault(spec.qStride, spec.heads * spec.headDim);
  setDefault(spec.outStride, spec.heads * spec.headDim);
  std::string name = llvm::formatv("rlx_attention_{0}_{1}by{2}x{3}_s{4}_q{5}_o{6}",
                                   nameOf(spec.kvType), spec.heads, spec.kvHeads, spec.headDim,
                                   nameOf(spec.scale), spec.qStride, spec.outStride);
  if (spec.cap)
    name += "_cap" + nameOf(*spec.cap);
  if (spec.window)
    name += "_w" + std::to_string(spec.window);
  if (spec.generic)
    name += "_generic";
  else if (spec.chunks)
    name += "_chunks" + std::to_string(spec.chunks);
  else if (spec.tiled)
    name += "_tiled";
  return getOrEmit(name, 4, 3, body(target, [&](KernelBuilder &b) {
                     spec.generic ? emitGenericAttention(b, spec) : emitAttention(b, spec);
                   }));
}

func::FuncOp KernelLibrary::getAttentionMerge(AttentionSpec spec) {
  setDefault(spec.outStride, spec.heads * spec.headDim);
  std::string name = llvm::formatv("rlx_attention_merge_{0}x{1}_chunks{2}_o{3}", spec.heads,
                                   spec.headDim, spec.chunks, spec.outStride);
  if (spec.window)
    name += "_w" + std::to_string(spec.window);
  return getOrEmit(name, 3, 1,
                   body(target, [&](KernelBuilder &b) { emitAttentionMerge(b, spec); }));
}

func::FuncOp KernelLibrary::getElementwise(ElementwiseSpec spec) {
  setDefault(spec.aStride, spec.columns);
  setDefault(spec.bStride, spec.columns);
  setDefault(spec.outStride, spec.columns);
  static constexpr StringLiteral kinds[] = {"add",   "mul",     "scale", "gelu",
                                            "geglu", "softcap", "copy"};
  bool binary = isBinary(spec.kind);
  bool hasValue = spec.kind == ElementwiseKind::Scale || spec.kind == ElementwiseKind::SoftCap;
  std::string name =
      llvm::formatv("rlx_{0}_{1}_a{2}{3}_o{4}{5}", kinds[unsigned(spec.kind)], spec.columns,
                    spec.aStride, binary ? "_b" + std::to_string(spec.bStride) : std::string(),
                    spec.outStride, hasValue ? "_" + nameOf(spec.value) : "");
  return getOrEmit(name, binary ? 3 : 2, 1,
                   body(target, [&](KernelBuilder &b) { emitElementwise(b, spec); }));
}

func::FuncOp KernelLibrary::getSelectRows(SelectRowsSpec spec) {
  setDefault(spec.inStride, spec.columns);
  setDefault(spec.outStride, spec.columns);
  std::string name =
      llvm::formatv("rlx_select_rows_{0}_i{1}_o{2}", spec.columns, spec.inStride, spec.outStride);
  return getOrEmit(name, 2, 4, body(target, [&](KernelBuilder &b) { emitSelectRows(b, spec); }));
}
