//===- DeviceProducts.cpp - Products of the calibration on a device ---------------------------===//
#include "qopt/Calibration/DeviceProducts.h"

#include "Device/CudaDevice.h"

#include <algorithm>
#include <cmath>
#include <vector>

using qrt::CudaDevice;
using qrt::Result;
using qrt::Status;

namespace qopt::calibration {

struct DeviceProducts::Impl {
  std::unique_ptr<CudaDevice> device; // outlives the memory below
  CudaDevice::Memory rows, results;   ///< of the product that runs
  int64_t rowBytes = 0, resultBytes = 0;
  Status status;

  /// `memory` with room for `bytes`.
  Status reserve(CudaDevice::Memory &memory, int64_t &size, int64_t bytes) {
    if (bytes <= size)
      return Status::ok();
    memory.reset();
    size = 0;
    QRT_ASSIGN_OR_RETURN(memory, device->allocate(bytes, "rows of the calibration"));
    size = bytes;
    return Status::ok();
  }
  Status launch(const qrt::cuda::ProductParams &params) {
    return device->launched(device->table().launchProduct(device->launch(), params), "Product");
  }
};

namespace {

float *floats(const CudaDevice::Memory &memory) { return static_cast<float *>(memory.get()); }

class DeviceLinear : public DeviceProducts::Linear {
public:
  DeviceLinear(DeviceProducts::Impl &on, int64_t n, int64_t k) : on(on), n(n), k(k) {}

  Status upload(std::span<const float> values, std::span<const float> biasValues) {
    QRT_ASSIGN_OR_RETURN(weight,
                         on.device->allocate(int64_t(values.size_bytes()), "a linear's weight"));
    QRT_RETURN_IF_ERROR(
        on.device->copyToDevice(weight.get(), values.data(), int64_t(values.size_bytes())));
    if (biasValues.empty())
      return Status::ok();
    QRT_ASSIGN_OR_RETURN(bias,
                         on.device->allocate(int64_t(biasValues.size_bytes()), "a linear's bias"));
    return on.device->copyToDevice(bias.get(), biasValues.data(), int64_t(biasValues.size_bytes()));
  }

  Status multiply(const float *src, int64_t rows, float *dst) override {
    const int64_t from = rows * k * 4, to = rows * n * 4;
    QRT_RETURN_IF_ERROR(on.reserve(on.rows, on.rowBytes, from));
    QRT_RETURN_IF_ERROR(on.reserve(on.results, on.resultBytes, to));
    QRT_RETURN_IF_ERROR(on.device->copyToDevice(on.rows.get(), src, from));
    qrt::cuda::ProductParams params;
    params.a = floats(on.rows);
    params.b = floats(weight);
    params.aRow = params.bRow = params.inner = k;
    params.aInner = params.bInner = 1;
    params.rows = rows;
    params.columns = params.dstStride = n;
    params.dst = floats(on.results);
    params.bias = floats(bias);
    QRT_RETURN_IF_ERROR(on.launch(params));
    QRT_RETURN_IF_ERROR(on.device->copyToHost(dst, on.results.get(), to));
    return on.device->synchronize();
  }

private:
  DeviceProducts::Impl &on;
  int64_t n, k;
  CudaDevice::Memory weight, bias;
};

class DeviceSum : public quantization::ProductSum {
public:
  DeviceSum(DeviceProducts::Impl &on, int64_t k, bool lowerOnly)
      : on(on), k(k), lowerOnly(lowerOnly) {
    note(begin());
  }

  void add(const float *a, const float *b, int64_t tokens) override {
    if (on.status)
      note(addChunk(a, b, tokens));
  }

  bool write(double factor, std::span<float> out) override {
    std::vector<double> all(static_cast<size_t>(k * k));
    if (on.status)
      note(read(all));
    if (!on.status)
      return false;
    bool finite = true;
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j) {
        const double value = factor * all[lowerOnly && j > i ? j * k + i : i * k + j];
        finite &= std::isfinite(value);
        out[i * k + j] = static_cast<float>(value);
      }
    return finite;
  }

private:
  void note(Status status) {
    if (on.status && !status)
      on.status = std::move(status);
  }
  Status begin() {
    QRT_ASSIGN_OR_RETURN(sum, on.device->allocate(k * k * 8, "moments of a linear's input"));
    return on.device->fill(sum.get(), 0, k * k * 8);
  }
  Status addChunk(const float *a, const float *b, int64_t tokens) {
    const int64_t bytes = tokens * k * 4;
    QRT_RETURN_IF_ERROR(on.reserve(on.rows, on.rowBytes, bytes));
    QRT_RETURN_IF_ERROR(on.reserve(on.results, on.resultBytes, bytes));
    QRT_RETURN_IF_ERROR(on.device->copyToDevice(on.rows.get(), a, bytes));
    QRT_RETURN_IF_ERROR(on.device->copyToDevice(on.results.get(), b, bytes));
    qrt::cuda::ProductParams params;
    params.a = floats(on.rows);
    params.b = floats(on.results);
    params.aRow = params.bRow = 1;
    params.aInner = params.bInner = params.rows = params.columns = k;
    params.inner = tokens;
    params.sum = static_cast<double *>(sum.get());
    params.lowerOnly = lowerOnly;
    return on.launch(params);
  }
  Status read(std::vector<double> &all) {
    QRT_RETURN_IF_ERROR(on.device->copyToHost(all.data(), sum.get(), k * k * 8));
    return on.device->synchronize();
  }

  DeviceProducts::Impl &on;
  int64_t k;
  bool lowerOnly;
  CudaDevice::Memory sum;
};

} // namespace

DeviceProducts::DeviceProducts(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
DeviceProducts::~DeviceProducts() = default;

Result<std::shared_ptr<DeviceProducts>> DeviceProducts::open(int32_t index) {
  auto impl = std::make_unique<Impl>();
  QRT_ASSIGN_OR_RETURN(impl->device, CudaDevice::open(index));
  if (!impl->device->table().launchProduct)
    return qrt::deviceError(qrt::DeviceProblem::VersionMismatch,
                            "the library has no products for calibration");
  return std::shared_ptr<DeviceProducts>(new DeviceProducts(std::move(impl)));
}

const std::string &DeviceProducts::name() const { return impl->device->name(); }
const Status &DeviceProducts::status() const { return impl->status; }

Result<std::shared_ptr<DeviceProducts::Linear>>
DeviceProducts::upload(std::span<const float> weight, int64_t n, int64_t k,
                       std::span<const float> bias) {
  auto linear = std::make_shared<DeviceLinear>(*impl, n, k);
  QRT_RETURN_IF_ERROR(linear->upload(weight, bias));
  return std::shared_ptr<Linear>(std::move(linear));
}

std::unique_ptr<quantization::ProductSum> DeviceProducts::makeSum(int64_t k, bool lowerOnly) {
  return std::make_unique<DeviceSum>(*impl, k, lowerOnly);
}

} // namespace qopt::calibration
