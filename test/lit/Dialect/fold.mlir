// What folds away.
// RUN: rlx-opt %s --canonicalize | FileCheck %s

module attributes {rlx.symbols = [#rlx.symbol<"S", 1, 8>]} {
  // CHECK-LABEL: @scale_by_one
  // CHECK-SAME: (%[[X:.*]]: tensor
  func.func @scale_by_one(%x: tensor<?x64xf32, #rlx.dims<S, 64>>) -> (tensor<?x64xf32, #rlx.dims<S, 64>>, tensor<?x64xf32, #rlx.dims<S, 64>>) {
    %one = rlx.scale %x by 1.0 : tensor<?x64xf32, #rlx.dims<S, 64>>
    // CHECK: %[[TWO:.*]] = rlx.scale %[[X]] by 2.000000e+00
    %two = rlx.scale %x by 2.0 : tensor<?x64xf32, #rlx.dims<S, 64>>
    // CHECK: return %[[X]], %[[TWO]]
    return %one, %two : tensor<?x64xf32, #rlx.dims<S, 64>>, tensor<?x64xf32, #rlx.dims<S, 64>>
  }

  // CHECK-LABEL: @split_in_one
  // CHECK-SAME: (%[[X:.*]]: tensor
  func.func @split_in_one(%x: tensor<?x64xf32, #rlx.dims<S, 64>>) -> tensor<?x64xf32, #rlx.dims<S, 64>> {
    // CHECK-NEXT: return %[[X]]
    %y = rlx.split %x : tensor<?x64xf32, #rlx.dims<S, 64>> -> tensor<?x64xf32, #rlx.dims<S, 64>>
    return %y : tensor<?x64xf32, #rlx.dims<S, 64>>
  }

  // CHECK-LABEL: @merge_of_split
  // CHECK-SAME: (%[[X:.*]]: tensor
  func.func @merge_of_split(%x: tensor<1x?x64xf32, #rlx.dims<1, S, 64>>) -> tensor<1x?x64xf32, #rlx.dims<1, S, 64>> {
    // CHECK-NEXT: return %[[X]]
    %y = rlx.split_heads %x : tensor<1x?x64xf32, #rlx.dims<1, S, 64>> -> tensor<1x?x4x16xf32, #rlx.dims<1, S, 4, 16>>
    %z = rlx.merge_heads %y : tensor<1x?x4x16xf32, #rlx.dims<1, S, 4, 16>> -> tensor<1x?x64xf32, #rlx.dims<1, S, 64>>
    return %z : tensor<1x?x64xf32, #rlx.dims<1, S, 64>>
  }

  // Equal ops are one, unused ones go.
  // CHECK-LABEL: @pure
  func.func @pure(%x: tensor<?x64xf32, #rlx.dims<S, 64>>) -> tensor<?x64xf32, #rlx.dims<S, 64>> {
    // CHECK-NEXT: %[[Y:.*]] = rlx.gelu
    // CHECK-NEXT: return %[[Y]]
    %unused = rlx.add %x, %x : tensor<?x64xf32, #rlx.dims<S, 64>>
    %y = rlx.gelu %x : tensor<?x64xf32, #rlx.dims<S, 64>>
    return %y : tensor<?x64xf32, #rlx.dims<S, 64>>
  }
}
