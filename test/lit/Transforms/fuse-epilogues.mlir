// RUN: rlx-opt %s --rlx-fuse-epilogues | FileCheck %s

!x8 = tensor<?x?x8xf32, #rlx.dims<BATCH, SEQ, 8>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<8x8xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<8x8xf32>>]
  rlx.weight @g : tensor<8xf32> from [#rlx.source<file = "m", tensor = "g", offset = 0, type = tensor<8xf32>>]

  // CHECK-LABEL: func.func @cap_then_add
  // CHECK-SAME: %[[X:.*]]: tensor<{{.*}}>, %[[R:.*]]: tensor<
  // CHECK-NEXT: %[[Y:.*]] = rlx.linear %[[X]], @w cap 3.000000e+01 residual(%[[R]] :
  // CHECK-NEXT: return %[[Y]]
  func.func @cap_then_add(%x: !x8, %r: !x8) -> !x8 {
    %0 = rlx.linear %x, @w : !x8 -> !x8
    %1 = rlx.softcap %0 cap 30.0 : !x8
    %2 = rlx.add %r, %1 : !x8
    return %2 : !x8
  }

  // The epilogue caps before it adds.
  // CHECK-LABEL: func.func @add_then_cap
  // CHECK: rlx.linear %{{.*}}, @w residual(
  // CHECK-NEXT: rlx.softcap
  func.func @add_then_cap(%x: !x8, %r: !x8) -> !x8 {
    %0 = rlx.linear %x, @w : !x8 -> !x8
    %1 = rlx.add %0, %r : !x8
    %2 = rlx.softcap %1 cap 30.0 : !x8
    return %2 : !x8
  }

  // CHECK-LABEL: func.func @norm
  // CHECK-SAME: %[[X:.*]]: tensor<{{.*}}>, %[[R:.*]]: tensor<
  // CHECK-NEXT: rlx.rms_norm %[[X]], @g gain plain eps 1.000000e-03 residual(%[[R]] :
  func.func @norm(%x: !x8, %r: !x8) -> !x8 {
    %0 = rlx.rms_norm %x, @g gain plain eps 0.001 : !x8 -> !x8
    %1 = rlx.add %r, %0 : !x8
    return %1 : !x8
  }

  // CHECK-LABEL: func.func @other_use
  // CHECK: rlx.linear %{{.*}}, @w :
  // CHECK-NEXT: rlx.add
  func.func @other_use(%x: !x8, %r: !x8) -> (!x8, !x8) {
    %0 = rlx.linear %x, @w : !x8 -> !x8
    %1 = rlx.add %0, %r : !x8
    return %0, %1 : !x8, !x8
  }

  // CHECK-LABEL: func.func @doubled
  // CHECK: rlx.linear %{{.*}}, @w :
  // CHECK-NEXT: rlx.add
  func.func @doubled(%x: !x8) -> !x8 {
    %0 = rlx.linear %x, @w : !x8 -> !x8
    %1 = rlx.add %0, %0 : !x8
    return %1 : !x8
  }
}
