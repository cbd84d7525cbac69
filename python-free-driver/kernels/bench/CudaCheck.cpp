//===- CudaCheck.cpp - Are the products of a device right? ------------------------------------===//
#include "CudaCheck.h"

#include "kernels/cuda/layout/Int8Layout.h"

#include <cstdio>
#include <cstring>

namespace qrt::bench {

namespace {

struct Tolerance {
  double mean, worst;
};

/// Of results against expected values; NaN is the worst error there is.
struct Errors {
  double squares = 0, worst = 0;
  int64_t worstRow = 0, worstN = 0;
  void add(double error, int64_t row, int64_t n) {
    squares += error * error;
    if (std::isnan(error) || error > worst) {
      worst = std::isnan(error) ? HUGE_VAL : error;
      worstRow = row;
      worstN = n;
    }
  }
};

class Check {
public:
  Check(CudaDevice &device, const ProductCase &product)
      : device(device), product(product),
        half(product.type == DType::BF16 ? DType::BF16 : DType::F16), operands(device),
        n(product.desc.n), k(product.desc.k) {}

  Status prepare(int64_t most) {
    QRT_ASSIGN_OR_RETURN(weight, operands.weight(product.desc));
    std::normal_distribution<float> normal;
    srcStride = (k + 7) / 8 * 8;
    std::vector<uint16_t> halves(size_t(most * srcStride));
    const int64_t wideStride = (k + 3) / 4 * 4;
    std::vector<float> wide(size_t(most * wideStride));
    std::vector<uint16_t> values((1 << 16) + 37);
    for (uint16_t &v : values)
      v = roundTo(half, normal(operands.random()));
    size_t next = 0;
    for (int64_t row = 0; row < most; ++row)
      for (int64_t i = 0; i < srcStride; ++i) {
        halves[size_t(row * srcStride + i)] = i < k ? values[next] : 0x7fff; // behind k: NaN
        if (i < k)
          wide[size_t(row * wideStride + i)] = widen(half, values[next]);
        next = next + 1 == values.size() ? 0 : next + 1;
      }
    bias.resize(size_t(n));
    for (float &v : bias)
      v = normal(operands.random());
    stride = (n + 7) / 8 * 8 + 8;
    residual.resize(size_t(most * stride));
    for (float &v : residual)
      v = widen(half, values[size_t(&v - residual.data()) % values.size()]);
    QRT_ASSIGN_OR_RETURN(src, operands.upload(halves, "activations"));
    if (product.type == DType::I8)
      QRT_RETURN_IF_ERROR(readRounded(most, wideStride, wide));
    QRT_ASSIGN_OR_RETURN(void *wideSrc, operands.upload(wide, "activations"));
    QRT_ASSIGN_OR_RETURN(deviceBias, operands.upload(bias, "bias"));
    QRT_ASSIGN_OR_RETURN(add, operands.upload(residual, "residual"));
    bytes = (most + 1) * stride * 4;
    QRT_ASSIGN_OR_RETURN(dst, operands.poisoned(bytes, "result"));
    QRT_ASSIGN_OR_RETURN(faults, operands.upload(std::vector<uint32_t>(4), "faults"));

    cuda::LinearParams exact;
    exact.src = {wideSrc, wideStride, DType::F32};
    exact.weight = weight;
    exact.dst = {dst, stride, DType::F32};
    exact.rows = most;
    QRT_RETURN_IF_ERROR(
        device.launched(device.table().launchLinear(device.launch(), exact), "Linear"));
    expected.resize(size_t(most * stride));
    QRT_RETURN_IF_ERROR(device.copyToHost(expected.data(), dst, most * stride * 4));
    double squares = 0;
    for (int64_t row = 0; row < most; ++row)
      for (int64_t i = 0; i < n; ++i)
        squares += double(expected[size_t(row * stride + i)]) * expected[size_t(row * stride + i)];
    size = std::sqrt(squares / double(most * n));
    return std::isfinite(size) && size > 0
               ? Status::ok()
               : Status::error(StatusCode::Internal, "the reference is not finite");
  }

  /// Words of what is wrong, "" if nothing is.
  Result<std::string> compare(int64_t rows, int64_t variant) {
    const DType type = variant % 3 == 1 ? half : DType::F32;
    const bool adds = variant % 3 == 2;
    cuda::LinearParams params;
    CudaOperands own(device);
    params.src = {src, srcStride, product.type};
    if (product.type == DType::I8) {
      QRT_ASSIGN_OR_RETURN(void *codes, rounded(rows, own));
      params.src = {codes, 0, DType::I8};
    }
    params.weight = weight;
    params.bias = variant % 2 ? static_cast<const float *>(deviceBias) : nullptr;
    if (adds)
      params.add = {add, stride, DType::F32};
    params.dst = {dst, stride, type};
    params.rows = rows;
    const int64_t need = device.table().linearWorkspaceBytes(device.launch(), params);
    QRT_ASSIGN_OR_RETURN(params.workspace, own.poisoned(need, "workspace"));
    // Only the counters must be zero; where they end is the kernels' affair.
    QRT_RETURN_IF_ERROR(device.fill(params.workspace, 0, std::max<int64_t>(need, 16)));
    QRT_RETURN_IF_ERROR(device.fill(dst, 0xff, bytes));
    cuda::Launch launch = device.launch();
    launch.faults = static_cast<uint32_t *>(faults);
    QRT_RETURN_IF_ERROR(device.launched(device.table().launchLinear(launch, params), "Linear"));
    host.resize(size_t((rows + 1) * stride * byteWidth(type)));
    QRT_RETURN_IF_ERROR(device.copyToHost(host.data(), dst, int64_t(host.size())));
    std::vector<uint32_t> first(2);
    QRT_RETURN_IF_ERROR(device.copyToHost(first.data(), params.workspace, 8));
    uint32_t fault = 0;
    QRT_RETURN_IF_ERROR(device.copyToHost(&fault, faults, 4));

    const double weightStep = product.type == DType::I8     ? 0x1p-18
                              : product.type == DType::BF16 ? 0x1p-8
                                                            : 0x1p-11;
    const double resultStep = type == DType::F32 ? 0 : type == DType::BF16 ? 0x1p-8 : 0x1p-11;
    Errors errors;
    for (int64_t row = 0; row <= rows; ++row)
      for (int64_t i = 0; i < stride; ++i) {
        const auto at = size_t(row * stride + i);
        uint32_t bits = 0;
        std::memcpy(&bits, host.data() + at * size_t(byteWidth(type)), size_t(byteWidth(type)));
        if (row == rows || i >= n) {
          if (bits != (type == DType::F32 ? 0xffffffffu : 0xffffu))
            return "wrote beside the result, row " + std::to_string(row) + ", column " +
                   std::to_string(i);
          continue;
        }
        const double value = type == DType::F32 ? std::bit_cast<float>(bits)
                                                : widen(type, static_cast<uint16_t>(bits));
        double want = expected[at];
        if (params.bias)
          want += bias[size_t(i)];
        if (adds)
          want += residual[at];
        const double error = std::abs(value - want) - resultStep * std::abs(want);
        errors.add(std::isnan(error) ? error : std::max(error, 0.0), row, i);
      }
    const double mean = std::sqrt(errors.squares / double(rows * n)) / size;
    const double worst = errors.worst / size;
    if (mean >= worstMean) {
      worstMean = mean;
      worstRows = rows;
    }
    worstElement = std::max(worstElement, worst);
    if (first[0] != 0 || first[1] != 0)
      return std::string("left a counter that is not zero");
    if (fault != 0)
      return "fault " + std::to_string(fault);
    const Tolerance limit = {0.6 * weightStep, 6 * weightStep};
    if (!(mean <= limit.mean) || !(worst <= limit.worst))
      return "mean error " + std::to_string(mean) + " (limit " + std::to_string(limit.mean) +
             "), worst " + std::to_string(worst) + " (limit " + std::to_string(limit.worst) +
             ") at row " + std::to_string(errors.worstRow) + ", column " +
             std::to_string(errors.worstN);
    return std::string();
  }

  double worstMean = 0, worstElement = 0;
  int64_t worstRows = 0;

private:
  /// The first rows' activations in 8 bits.
  Result<void *> rounded(int64_t rows, CudaOperands &own) {
    const int32_t block = cuda::int8Block(product.desc);
    QRT_ASSIGN_OR_RETURN(void *codes,
                         own.poisoned(device.table().int8Bytes(rows, k, block), "codes"));
    const cuda::QuantizeParams quantize = {{src, srcStride, half}, rows, k, block, codes};
    QRT_RETURN_IF_ERROR(
        device.launched(device.table().launchQuantize(device.launch(), quantize), "Quantize"));
    return codes;
  }
  /// What the codes stand for: the rounding itself is tested elsewhere (Int8Test.cpp).
  Status readRounded(int64_t rows, int64_t stride, std::vector<float> &wide) {
    const int block = cuda::int8Block(product.desc);
    const cuda::Int8Geometry g = cuda::int8Geometry(rows, k, block);
    CudaOperands own(device);
    QRT_ASSIGN_OR_RETURN(void *from, rounded(rows, own));
    std::vector<int8_t> codes(size_t(g.bytes));
    QRT_RETURN_IF_ERROR(device.copyToHost(codes.data(), from, g.bytes));
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < k; ++i) {
        float scale = 0;
        std::memcpy(&scale, codes.data() + g.scaleStart + (i / block * g.planeRows + row) * 4, 4);
        wide[size_t(row * stride + i)] =
            scale * codes[size_t(row * g.rowBytes + i / cuda::unitK * cuda::unitK +
                                 cuda::int8Place(int(i % cuda::unitK)))];
      }
    return Status::ok();
  }

  CudaDevice &device;
  const ProductCase &product;
  const DType half; ///< of the activations before they are rounded, and of half results
  CudaOperands operands;
  int64_t n, k, srcStride = 0, stride = 0, bytes = 0;
  double size = 1; ///< root mean square of the products
  cuda::Weight weight;
  void *src = nullptr, *deviceBias = nullptr, *add = nullptr, *dst = nullptr, *faults = nullptr;
  std::vector<float> bias, residual, expected;
  std::vector<uint8_t> host;
};

} // namespace

Result<CheckResult> checkProduct(CudaDevice &device, const ProductCase &product,
                                 const std::vector<int64_t> &rows) {
  Check check(device, product);
  QRT_RETURN_IF_ERROR(check.prepare(*std::max_element(rows.begin(), rows.end())));
  const kernels::WeightDesc &desc = product.desc;
  const std::string what = product.name + " " + std::to_string(desc.n) + "x" +
                           std::to_string(desc.k) + " group " + std::to_string(desc.groupSize) +
                           (desc.symmetric ? " symmetric" : " asymmetric") +
                           (product.type == DType::I8     ? " a8"
                            : product.type == DType::BF16 ? " bf16"
                                                          : " f16");
  CheckResult result;
  for (size_t i = 0; i < rows.size(); ++i) {
    QRT_ASSIGN_OR_RETURN(const std::string problem, check.compare(rows[i], int64_t(i)));
    if (problem.empty())
      continue;
    ++result.failures;
    std::fprintf(stderr, "check: %s, %lld rows: %s\n", what.c_str(),
                 static_cast<long long>(rows[i]), problem.c_str());
  }
  result.report["product"] = what;
  result.report["mean_error"] = check.worstMean;
  result.report["at_rows"] = check.worstRows;
  result.report["worst_error"] = check.worstElement;
  result.report["failures"] = result.failures;
  return result;
}

} // namespace qrt::bench
