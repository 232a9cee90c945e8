// RUN: rlx-opt %s --split-input-file --verify-diagnostics --rlx-verify-plan

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @overwritten(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 1024 : i64} {
    // expected-note @+1 {{the value was made here}}
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 0>} : !x16
    // expected-note @+1 {{and written over here}}
    %1 = rlx.gelu %x {rlx.offsets = array<i64: 64>} : !x16
    // expected-error @+1 {{reads memory that was written over}}
    %2 = rlx.add %0, %1 {rlx.offsets = array<i64: -1>} : !x16
    return %2 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  rlx.weight @w : tensor<16x16xf32> from [#rlx.source<file = "m", tensor = "w", offset = 0, type = tensor<16x16xf32>>]

  func.func @input_of_linear(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 512 : i64} {
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 0>} : !x16
    // expected-error @+1 {{writes over its operand 0}}
    %1 = rlx.linear %0, @w {rlx.offsets = array<i64: 0>} : !x16 -> !x16
    %2 = rlx.gelu %1 {rlx.offsets = array<i64: -1>} : !x16
    return %2 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @shifted(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 1024 : i64} {
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 0>} : !x16
    // expected-error @+1 {{writes over its operand 0}}
    %1 = rlx.gelu %0 {rlx.offsets = array<i64: 64>} : !x16
    %2 = rlx.gelu %1 {rlx.offsets = array<i64: -1>} : !x16
    return %2 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @outside(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 512 : i64} {
    // expected-error @+1 {{expected memory for 512 bytes on a multiple of 64 within 512 bytes but got the offset 64}}
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 64>} : !x16
    %1 = rlx.gelu %0 {rlx.offsets = array<i64: -1>} : !x16
    return %1 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @unplaced(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 512 : i64} {
    // expected-error @+1 {{expected the attribute rlx.offsets to place result 0}}
    %0 = rlx.gelu %x : !x16
    %1 = rlx.gelu %0 {rlx.offsets = array<i64: -1>} : !x16
    return %1 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  // expected-error @+1 {{expected the attribute rlx.workspace_bytes}}
  func.func @unplanned(%x: !x16) -> !x16 {
    return %x : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @counters(%x: !x16) -> !x16
      attributes {rlx.counters = array<i64: 448, 1>, rlx.workspace_bytes = 512 : i64} {
    // expected-error @+1 {{writes over the counters of kernels}}
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 0>} : !x16
    %1 = rlx.gelu %0 {rlx.offsets = array<i64: -1>} : !x16
    return %1 : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 4096>, #rlx.symbol<"SEQ", 1, 8192>]} {
  // expected-error @+1 {{expected at most 2^24 tokens in a step but got up to 4096 sequences of 8192}}
  func.func @many_tokens(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 512 : i64} {
    return %x : !x16
  }
}

// -----

!x16 = tensor<?x?x16xf32, #rlx.dims<BATCH, SEQ, 16>>

module attributes {rlx.symbols = [#rlx.symbol<"BATCH", 1, 1>, #rlx.symbol<"SEQ", 1, 8>,
                                  #rlx.symbol<"PAST_SEQ", 0, 99>, #rlx.symbol<"OUT", 0, 4>]} {
  func.func @far_outside(%x: !x16) -> !x16 attributes {rlx.workspace_bytes = 512 : i64} {
    // expected-error @+1 {{within 512 bytes but got the offset 9223372036854775744}}
    %0 = rlx.gelu %x {rlx.offsets = array<i64: 9223372036854775744>} : !x16
    %1 = rlx.gelu %0 {rlx.offsets = array<i64: -1>} : !x16
    return %1 : !x16
  }
}
