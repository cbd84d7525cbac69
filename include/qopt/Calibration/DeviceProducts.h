//===- DeviceProducts.h - Products of the calibration on a device -----------------------------===//
// What takes most of a calibration's time: the linears of the forward pass and the second moments
// of their inputs, in f32 on a device (kernels/cuda/product), everything else on the CPU. Rows go
// to the device and back per product.
// Tolerance: each result is one chain of fused multiply-adds in f32, as on the CPU but in another
// order, so an element differs by at most K * 2^-24 of the sum of its terms' sizes; moments are
// summed in f64 over chunks, as on the CPU. Results do not depend on the device.
// Errors are DeviceMissing, with the reason. Not thread safe.
#ifndef QOPT_CALIBRATION_DEVICEPRODUCTS_H
#define QOPT_CALIBRATION_DEVICEPRODUCTS_H

#include "qopt/Quantization/ProductSum.h"

#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace qopt::calibration {

class DeviceProducts {
public:
  static qrt::Result<std::shared_ptr<DeviceProducts>> open(int32_t index);
  ~DeviceProducts();

  /// "device 0 (NVIDIA H100 80GB HBM3, 9.0)"
  const std::string &name() const;

  /// A linear's weight [n, k] and bias ([n] or empty) in device memory.
  class Linear {
  public:
    virtual ~Linear() = default;
    /// dst [rows, n] = src [rows, k] * weight^T + bias.
    virtual qrt::Status multiply(const float *src, int64_t rows, float *dst) = 0;
  };
  /// Must not outlive this.
  qrt::Result<std::shared_ptr<Linear>> upload(std::span<const float> weight, int64_t n, int64_t k,
                                              std::span<const float> bias);

  /// A sum [k, k] in device memory; lowerOnly: a and b make it symmetric. Its errors are in
  /// status(), and then write() is false. Must not outlive this.
  std::unique_ptr<quantization::ProductSum> makeSum(int64_t k, bool lowerOnly);
  /// Ok, or the first error of a sum.
  const qrt::Status &status() const;

  struct Impl;

private:
  explicit DeviceProducts(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_DEVICEPRODUCTS_H
