//===- KernelLibraryTest.cpp - Tests of names and of every target ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Equal specs share a kernel and different ones do not; every kernel compiles for
// every target without a reference to a library.
//
//===----------------------------------------------------------------------===//
#include "KernelHarness.h"
#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::test;
using testing::HasSubstr;
using testing::IsEmpty;

/// One kernel of each kind and, where it matters, format.
static std::vector<std::string> emitAll(KernelLibrary &kernels) {
  std::vector<std::string> names;
  auto add = [&](mlir::func::FuncOp kernel) { names.push_back(kernel.getName().str()); };
  for (unsigned i = 0; i < kWeightFormatCount; ++i) {
    auto format = static_cast<WeightFormat>(i);
    LinearSpec linear;
    linear.format = format;
    linear.k = 256;
    linear.n = 32;
    linear.singleRow = format == WeightFormat::F32 || format == WeightFormat::Q4_0;
    add(kernels.getLinear(linear));
    linear.singleRow = true;
    linear.geglu = true;
    linear.cap = 30;
    linear.residual = true;
    add(kernels.getLinear(linear));
    add(kernels.getEmbedding({format, 256, 8.0, 0}));
    PrepareSpec prepare;
    prepare.format = activationFormat(format, kernels.getTarget());
    prepare.k = 256;
    prepare.norm = true;
    prepare.inStride = 256 + int64_t(format);
    add(kernels.getPrepare(prepare));
  }
  for (KvType type : {KvType::F16, KvType::BF16, KvType::Q8_0}) {
    AttentionSpec attention;
    attention.heads = 4;
    attention.kvHeads = 2;
    attention.headDim = 64;
    attention.kvType = type;
    attention.cap = 50;
    attention.window = 64;
    add(kernels.getAttention(attention));
    KvAppendSpec append;
    append.kvHeads = 2;
    append.headDim = 64;
    append.kvType = type;
    append.rope = true;
    add(kernels.getKvAppend(append));
  }
  RmsNormSpec norm;
  norm.columns = 64;
  add(kernels.getRmsNorm(norm));
  add(kernels.getRopeAngles({{1.0, 0.1, 0.01}}));
  RopeSpec rope;
  rope.heads = 4;
  rope.headDim = 64;
  add(kernels.getRope(rope));
  add(kernels.getElementwise({ElementwiseKind::GeGlu, 64}));
  add(kernels.getElementwise({ElementwiseKind::SoftCap, 64, 30.0}));
  add(kernels.getSelectRows({64}));
  return names;
}

TEST(KernelLibrary, CompilesWithoutALibraryForEachKindOfTarget) {
  // Kernels that run in other tests are checked there; these compile on every machine.
  for (const char *name : {"x86-64-v3", "x86-64-v4+vnni+bf16", "aarch64+dotprod"}) {
    KernelModule module(llvm::cantFail(resolveTarget(name)));
    emitAll(module.kernels());
    std::string error;
    llvm::SmallVector<char, 0> object = module.compile(error);
    ASSERT_EQ(error, "") << name;
    EXPECT_THAT(undefinedSymbols(object), IsEmpty()) << name;
  }
}

TEST(KernelLibrary, EqualSpecsShareOneKernel) {
  KernelModule module(testTarget("generic"));
  std::vector<std::string> first = emitAll(module.kernels());
  size_t count = std::distance(module.module().getOps<mlir::func::FuncOp>().begin(),
                               module.module().getOps<mlir::func::FuncOp>().end());
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), count);
  KernelLibrary other(module.module(), module.getTarget());
  EXPECT_EQ(emitAll(other), first);
  EXPECT_EQ(std::distance(module.module().getOps<mlir::func::FuncOp>().begin(),
                          module.module().getOps<mlir::func::FuncOp>().end()),
            int64_t(count));
}

TEST(KernelLibrary, EveryFieldOfASpecTellsKernelsApart) {
  KernelModule module(testTarget("generic"));
  KernelLibrary &kernels = module.kernels();
  AttentionSpec base;
  base.heads = 4;
  base.kvHeads = 2;
  base.headDim = 32;
  std::vector<AttentionSpec> specs(11, base);
  specs[1].heads = 2;
  specs[2].kvHeads = 1;
  specs[3].headDim = 16;
  specs[4].kvType = KvType::F16;
  specs[5].scale = 0.5;
  specs[6].cap = 50;
  specs[7].window = 16;
  specs[8].qStride = 200;
  specs[9].chunks = 5;
  specs[10].generic = true;
  std::set<std::string> names;
  for (const AttentionSpec &spec : specs)
    names.insert(kernels.getAttention(spec).getName().str());
  EXPECT_EQ(names.size(), specs.size());
}

TEST(TargetDescription, FeaturesDecideInstructions) {
  TargetDescription v3 = llvm::cantFail(resolveTarget("x86-64-v3"));
  EXPECT_EQ(v3.int8Dot, Int8Dot::Avx2);
  EXPECT_EQ(v3.vectorBits, 256u);
  TargetDescription v4 = llvm::cantFail(resolveTarget("x86-64-v4+vnni+bf16"));
  EXPECT_EQ(v4.name, "x86-64-v4+vnni+bf16");
  EXPECT_EQ(v4.features, "+avx512vnni,+avx512bf16");
  EXPECT_EQ(v4.int8Dot, Int8Dot::Vnni512);
  EXPECT_TRUE(v4.bf16Dot);
  EXPECT_THAT(v4.requiredFeatures, testing::Contains("avx512bf16"));
  EXPECT_FALSE(v4.tiles);
  TargetDescription amx = llvm::cantFail(resolveTarget("x86-64-v4+amx"));
  EXPECT_TRUE(amx.tiles);
  EXPECT_TRUE(amx.bf16Dot);
  EXPECT_EQ(amx.features, "+amx-bf16,+amx-int8,+avx512bf16,+avx512vnni");
  EXPECT_EQ(amx.int8Dot, Int8Dot::Vnni512);
  TargetDescription arm = llvm::cantFail(resolveTarget("aarch64+dotprod"));
  EXPECT_EQ(arm.int8Dot, Int8Dot::NeonDot);
  EXPECT_EQ(arm.triple, "aarch64-unknown-linux-gnu");
}

TEST(TargetDescription, UnknownNamesAreErrors) {
  EXPECT_EQ(llvm::toString(resolveTarget("pentium").takeError()),
            "expected a target CPU 'native', 'x86-64-v3', 'x86-64-v4', 'aarch64' but got "
            "'pentium'");
  EXPECT_EQ(llvm::toString(resolveTarget("x86-64-v4+sse").takeError()),
            "expected a feature of x86-64-v4 ('vnni', 'bf16', 'amx') but got 'sse'");
  EXPECT_THAT(llvm::toString(resolveTarget("aarch64+vnni").takeError()),
              HasSubstr("('dotprod', 'i8mm') but got 'vnni'"));
  EXPECT_THAT(llvm::toString(resolveTarget("native-sse").takeError()),
              HasSubstr("after 'native-' but got 'sse'"));
}

TEST(TargetDescription, NativeLeavesOutWhatItIsTold) {
  for (const char *name : {"native-amx", "native-vnni", "native-bf16-amx"}) {
    TargetDescription target = llvm::cantFail(resolveTarget(name)); // also where there is none
    EXPECT_FALSE(target.tiles);
    EXPECT_THAT(target.name, testing::Not(HasSubstr("+amx")));
  }
}
