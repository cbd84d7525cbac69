// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @constant_shape() {
  // expected-error @below {{expects a ranked tensor of static shape, got 'tensor<?xf32>'}}
  %0 = "qir.constant"() {value = dense_resource<missing> : tensor<?xf32>} : () -> tensor<?xf32>
  return
}

// -----

func.func @constant_c1() {
  // expected-error @below {{expects a dense or dense_resource value}}
  %0 = qir.constant sparse<0, 1.0> : tensor<4xf32>
  return
}

// -----

func.func @constant_c2() {
  // expected-error @below {{expects a blob of 12 bytes for 'tensor<3xf32>', got 4}}
  %0 = qir.constant dense_resource<short> : tensor<3xf32>
  return
}

{-#
  dialect_resources: { builtin: { short: "0x0400000001020304" } }
#-}

// -----

func.func @if_c1(%c: tensor<2xi1>) {
  // expected-error @below {{expects a condition of one element, got 'tensor<2xi1>'}}
  qir.if %c : (tensor<2xi1>) -> () {
    qir.yield
  } else {
    qir.yield
  }
  return
}

// -----

func.func @if_c2(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{expects both regions to yield the types of the results}}
  %0 = qir.if %c : (tensor<i1>) -> tensor<2xf32> {
    qir.yield %x : tensor<2xf32>
  } else {
    qir.yield
  }
  return %0 : tensor<2xf32>
}
