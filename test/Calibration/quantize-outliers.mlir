// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy})' --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy threads=1})' -o %t.one
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy threads=3})' -o %t.three
// RUN: cmp %t.one %t.three
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy algo=scale})' | FileCheck %s --check-prefix=SCALE
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy})' -remarks-filter=calibrate -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: rm -rf %t.work && qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy work-dir=%t.work})' -o %t.first
// RUN: rm %t.work/group-0001.qcal && qopt-opt %s --pass-pipeline='builtin.module(qir-quantize-calibrated{calib=%S/Inputs/ids.npy work-dir=%t.work resume=true})' -o %t.second
// RUN: cmp %t.first %t.second && cmp %t.first %t.one
// RUN: not qopt-opt %s -qir-quantize-weights -o /dev/null 2>&1 | FileCheck %s --check-prefix=REFUSED

// 5 % of 16 x 8 weights are 6. Rounding to nearest, which has no data to choose by, refuses.
// REMARK: outliers | Category:calibrate | Remark="keeps the weights of the highest (w - x')^2 H_jj in f16
// REMARK-SAME: outliers=6
// SCALE: qir.quantized_linear {{.*}} qir.outliers = [
// REFUSED: error: 'qir.linear' op is to keep outliers, which only qir-quantize-calibrated chooses

// CHECK-LABEL: func.func @main
func.func @main(%ids: tensor<?xi32> {qir.name = "ids"}) -> (tensor<?x24xf32> {qir.name = "logits"})
    attributes {qir.token_major} {
  %table = qir.constant dense<[[0.386, 0.435, 0.020, -0.229, -0.328, 0.009, -0.307, -0.431], [0.060, 0.040, 0.164, -0.274, 0.002, -0.019, -0.452, 0.161], [0.096, 0.717, 0.061, -0.043, 0.370, 0.060, 0.273, -0.110], [0.065, 0.307, 0.209, 0.039, -0.325, 0.134, 0.023, 0.216], [0.065, 0.326, -0.015, 0.061, 0.200, -0.326, -0.120, -0.150], [0.594, -0.028, 0.196, 0.186, -0.084, -0.465, 0.289, -0.122], [0.215, -0.392, -0.131, 0.377, 0.429, -0.391, -0.400, -0.013], [0.218, 0.048, 0.091, -0.297, 0.176, 0.335, -0.131, -0.430], [-0.228, 0.228, -0.520, -0.028, -0.297, -0.039, -0.073, 0.005], [0.450, 0.126, 0.400, -0.042, -0.144, 0.114, -0.851, -0.012], [0.048, -0.371, 0.139, -0.168, -0.738, -0.064, -0.294, -0.156], [-0.046, 0.375, 0.031, -0.009, 0.117, -0.544, 0.372, -0.323], [0.132, -0.338, -0.293, -0.119, 0.569, 0.209, -0.181, -0.085], [-0.345, -0.010, -0.172, 0.217, -0.407, -0.100, -0.253, -0.216], [0.213, 0.038, 0.176, 0.357, 0.345, -0.412, 0.161, -0.528], [-0.019, 0.576, -0.058, -0.111, 0.051, 0.005, 0.008, -0.227], [0.325, 0.267, -0.064, 0.094, 0.198, 0.310, 0.118, 0.209], [-0.079, -0.321, -0.149, 0.306, 0.293, 0.044, -0.170, 0.092], [0.499, 0.406, -0.205, -0.013, -0.436, -0.341, 0.056, 0.007], [0.289, 0.380, 0.250, 0.396, -0.164, -0.339, 0.150, 0.804], [0.107, -0.346, 0.073, 0.428, -0.310, 0.241, -0.183, 0.382], [0.236, 0.091, 0.600, -0.123, -0.206, 0.556, -0.263, 0.660], [-0.012, -0.311, -0.001, 0.039, 0.060, -0.058, 0.324, -0.696], [-0.166, -0.079, 0.546, -0.598, -0.102, -0.343, -0.199, 0.192]]> : tensor<24x8xf32> loc("table")
  %up = qir.constant dense<[[0.701, -0.199, 0.118, 0.044, 0.251, -0.421, -0.124, -0.225], [-0.322, -0.253, -0.154, -0.086, -0.272, 0.127, -0.164, -0.959], [0.357, -0.118, -0.223, 0.081, 0.069, 0.016, -0.256, 0.057], [-0.461, 0.433, -0.380, -0.062, 0.006, 0.066, -0.074, 0.145], [-1.090, -0.070, -0.087, -0.169, 0.420, -0.332, -0.064, -0.650], [0.043, -0.528, -0.512, 0.671, 0.173, -0.042, 0.012, -0.475], [-0.358, 0.089, -0.681, 0.043, -0.566, -0.003, -0.377, 0.493], [0.269, -0.197, -0.615, -0.278, -0.057, -0.342, 0.047, 0.262], [-0.056, -0.172, 0.198, -0.130, 0.219, -0.136, 0.453, -0.124], [-0.362, -0.010, -0.232, -0.325, -0.078, 0.190, -0.698, -0.052], [-0.085, -0.083, 0.207, -0.436, 0.164, -0.107, -0.003, -0.104], [-0.137, -0.196, 0.090, 0.606, 0.286, 0.226, 0.137, -0.179], [0.152, 0.600, -0.422, 0.222, 0.279, 0.057, 0.211, 0.395], [0.647, 0.371, 0.479, 0.077, 0.229, 0.031, 0.068, -0.162], [0.186, 0.421, -0.067, 0.059, 0.172, -0.011, 0.268, 0.062], [-0.370, -0.327, 0.206, 0.178, 0.321, 0.063, 0.049, -0.490]]> : tensor<16x8xf32> loc("up")
  %down = qir.constant dense<[[0.028, 0.375, -0.279, 0.298, -0.078, -0.078, 0.570, 0.047, -0.013, 0.219, 0.338, -0.009, 0.176, -0.292, -0.110, -0.131], [-0.400, -0.453, -0.488, -0.072, -0.052, -0.096, 0.021, -0.401, -0.024, 0.071, 0.225, -0.254, -0.120, -0.605, -0.151, -0.659], [-0.426, 0.330, -0.660, 0.240, 0.098, -0.094, 0.138, 0.158, 0.314, -0.069, -0.178, -0.181, -0.296, -0.013, -0.236, 0.321], [-0.561, -0.328, -0.286, -0.628, 0.571, -0.723, -0.085, -0.158, 0.497, -0.596, 0.322, -0.219, -0.047, -0.201, 0.192, -0.341], [-0.024, 0.106, 0.552, -0.722, 0.458, 0.284, -0.145, 0.091, -0.140, 0.494, 0.063, -0.065, -0.068, -0.060, -0.053, -0.264], [0.618, -0.573, -1.082, -0.037, -0.044, 0.112, -0.061, -0.044, 0.100, 0.291, -0.134, -0.112, 0.582, 0.159, -0.296, 0.697], [0.233, -0.177, -0.352, 0.089, -0.250, -0.317, -0.389, -0.152, 0.332, -0.130, -0.435, 0.201, 0.020, 0.253, 0.361, -0.051], [-0.043, -0.014, -0.340, 0.201, 0.412, 0.052, -0.071, -0.078, -0.234, -0.241, -0.120, -0.253, -0.131, -0.473, 0.105, 0.015]]> : tensor<8x16xf32> loc("down")
  %x = qir.embedding %table, %ids : (tensor<24x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  // CHECK: qir.quantized_linear %{{.*}}, %{{.*}} scales %{{.*}} zero_points %{{.*}} {bits = 3 : i64, qir.outliers = [dense<{{.*}}> : tensor<17xi32>, dense<{{.*}}> : tensor<6xui16>, dense<{{.*}}> : tensor<6xf16>], qir.rms_error = {{.*}} : f64, qir.scheme_text = "w3a16-channel-asym"}
  %a = qir.linear %x, %up {qir.outlier_share = 0.05 : f64, scheme = #qir.scheme<w3a16, channel, asym>} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  %g = qir.silu %a : (tensor<?x16xf32>) -> tensor<?x16xf32>
  // CHECK: qir.quantized_linear
  // CHECK-NOT: outliers
  // CHECK-SAME: activation = "a8"
  %b = qir.linear %g, %down {scheme = #qir.scheme<w4a8, channel, sym>} : (tensor<?x16xf32>, tensor<8x16xf32>) -> tensor<?x8xf32>
  %r = qir.add %x, %b : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = qir.linear %r, %table {role = "head", scheme = #qir.scheme<w8a16, channel, sym>} : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
