// RUN: rlx-opt %s --rlx-emit-model-table --split-input-file --verify-diagnostics

// expected-error@+1 {{expected a module with the attributes rlx.target, rlx.vocab_size, rlx.hidden_size, rlx.max_context and rlx.weights_bytes}}
module {
}

// -----

module attributes {rlx.target = "t", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 0 : i64} {
  // expected-error@+1 {{expected its function to be an llvm.func}}
  rlx.variant @generic calls @prefill role prefill seq 1 to 16 past 0 to 511
  func.func @prefill() {
    return
  }
}

// -----

module attributes {rlx.target = "t", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 0 : i64} {
  // expected-error@+1 {{expected the attribute rlx.out_max}}
  rlx.variant @generic calls @prefill role prefill seq 1 to 16 past 0 to 511 {rlx.batch_max = 1 : i64}
  llvm.func @prefill() {
    llvm.return
  }
}

// -----

module attributes {rlx.target = "t", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 0 : i64, rlx.probes = []} {
  // expected-error@+1 {{expected a weight that has its place; run rlx-assign-weight-layout before}}
  rlx.weight @w : tensor<16x64xf32> from [#rlx.source<file = "m", tensor = "l", offset = 0, type = tensor<16x64xf32>>]
}

// -----

module attributes {rlx.target = "t", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 0 : i64} {
  // expected-error@+1 {{expected the attribute rlx.stages to be an array of dictionaries with name and kind}}
  rlx.variant @generic calls @prefill role prefill seq 1 to 16 past 0 to 511 {rlx.batch_max = 1 : i64, rlx.out_max = 1 : i64, rlx.workspace_bytes = 0 : i64, rlx.stages = [{name = "norm"}]}
  llvm.func @prefill() {
    llvm.return
  }
}

// -----

// expected-error@+1 {{expected the attribute rlx.probes to be an array of dictionaries with name, operations and function}}
module attributes {rlx.target = "t", rlx.vocab_size = 50 : i64, rlx.hidden_size = 32 : i64,
                   rlx.max_context = 512 : i64, rlx.weights_bytes = 0 : i64,
                   rlx.probes = [{name = "p", operations = 1 : i64, function = @missing}]} {
}
