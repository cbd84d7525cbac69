// RUN: qopt-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{expects a weight of 2, 3, 4 or 8 bits, got 5}}
func.func private @scheme_c1() attributes {a = #qir.scheme<w5a16, group = 128, sym>}

// -----

// expected-error @below {{expects an activation of 8, 16 or 32 bits, got 4}}
func.func private @scheme_c2() attributes {a = #qir.scheme<w4a4, group = 128, sym>}

// -----

// expected-error @below {{expects a group of 0 (channel), 32, 64 or 128, got 48}}
func.func private @scheme_c3() attributes {a = #qir.scheme<w4a16, group = 48, sym>}

// -----

// expected-error @below {{expects f32, f16, bf16 or w<BITS>a<BITS>, got 'fp8'}}
func.func private @scheme_word() attributes {a = #qir.scheme<fp8>}

// -----

// expected-error @below {{expects 'sym' or 'asym', got 'both'}}
func.func private @scheme_symmetry() attributes {a = #qir.scheme<w4a16, channel, both>}
