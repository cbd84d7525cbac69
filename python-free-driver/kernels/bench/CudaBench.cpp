//===- CudaBench.cpp - Products on a device: time, bytes, share of the copy rate --------------===//
// qrt_cuda_bench [--shapes NxK,..] [--formats w4,..] [--rows M,..] [--samples N] [--copy-mib N]
//
// Per case a graph of launches, each with another copy of the weight until the copies exceed three
// times the L2 cache, so that weights come from memory; the median over the samples of the time of
// a replay. The ceiling, bytes read and written by a large copy, and the time of a launch that does
// nothing much are measured in the same run. JSON on stdout; exit code 13 without a device.
//===----------------------------------------------------------------------===//
#include "Device/CudaDevice.h"
#include "Support/Json.h"
#include "qrt/Half.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

using namespace qrt;
using kernels::WeightFormat;

namespace {

struct Settings {
  std::vector<std::pair<int64_t, int64_t>> shapes = {{4096, 4096}, {28672, 4096}, {4096, 14336},
                                                     {9728, 896},  {896, 4864},   {151936, 896}};
  std::vector<std::string> formats = {"w8", "w4", "w3", "w2", "f16"};
  std::vector<int64_t> rows = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2048};
  int64_t samples = 30, copyMib = 1024;
};

constexpr int64_t launchesPerGraph = 20, warmUps = 3;
constexpr int32_t groupSize = 128;

Result<WeightFormat> formatOf(const std::string &name) {
  const std::pair<const char *, WeightFormat> names[] = {{"w8", WeightFormat::U8},
                                                         {"w4", WeightFormat::U4},
                                                         {"w3", WeightFormat::U3},
                                                         {"w2", WeightFormat::U2},
                                                         {"f16", WeightFormat::F16}};
  for (auto [known, format] : names)
    if (name == known)
      return format;
  return invalidArgument("--formats: unknown '" + name + "'");
}

Result<int64_t> number(std::string_view text, const std::string &flag) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    return invalidArgument(flag + ": expects numbers from 1, got '" + std::string(text) + "'");
  return value;
}

std::vector<std::string> split(const std::string &text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text)
    c == at ? (void)parts.emplace_back() : parts.back().push_back(c);
  return parts;
}

Result<Settings> readFlags(int argc, char **argv) {
  Settings s;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 == argc)
      return invalidArgument(flag + " expects a value");
    const std::string value = argv[i + 1];
    if (flag == "--shapes") {
      s.shapes.clear();
      for (const std::string &shape : split(value, ',')) {
        const auto sides = split(shape, 'x');
        if (sides.size() != 2)
          return invalidArgument("--shapes: expects NxK,NxK..");
        QRT_ASSIGN_OR_RETURN(const int64_t n, number(sides[0], flag));
        QRT_ASSIGN_OR_RETURN(const int64_t k, number(sides[1], flag));
        s.shapes.emplace_back(n, k);
      }
    } else if (flag == "--formats") {
      s.formats = split(value, ',');
    } else if (flag == "--rows") {
      s.rows.clear();
      for (const std::string &rows : split(value, ',')) {
        QRT_ASSIGN_OR_RETURN(const int64_t m, number(rows, flag));
        s.rows.push_back(m);
      }
    } else if (flag == "--samples") {
      QRT_ASSIGN_OR_RETURN(s.samples, number(value, flag));
    } else if (flag == "--copy-mib") {
      QRT_ASSIGN_OR_RETURN(s.copyMib, number(value, flag));
    } else {
      return invalidArgument("unknown flag " + flag);
    }
  }
  return s;
}

struct Timing {
  double median = 0, spread = 0; ///< seconds per launch; half of the middle half
};

class Bench {
public:
  explicit Bench(CudaDevice &device) : device(device) {}

  /// Times a graph of launches; launch(i) enqueues the i-th.
  template <class LaunchOne>
  Result<Timing> time(int64_t samples, LaunchOne launch) {
    QRT_RETURN_IF_ERROR(launch(0)); // loads the kernel
    QRT_RETURN_IF_ERROR(device.synchronize());
    QRT_RETURN_IF_ERROR(device.beginCapture());
    Status recorded;
    for (int64_t i = 0; i < launchesPerGraph && recorded; ++i)
      recorded = launch(i);
    auto graph = device.endCapture();
    QRT_RETURN_IF_ERROR(recorded);
    QRT_RETURN_IF_ERROR(graph.status());
    std::vector<double> seconds;
    for (int64_t i = -warmUps; i < samples; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      QRT_RETURN_IF_ERROR(device.launchGraph(*graph));
      QRT_RETURN_IF_ERROR(device.synchronize());
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      if (i >= 0)
        seconds.push_back(took.count() / double(launchesPerGraph));
    }
    std::sort(seconds.begin(), seconds.end());
    const size_t n = seconds.size();
    return Timing{seconds[n / 2], (seconds[n * 3 / 4] - seconds[n / 4]) / 2};
  }

  /// A large copy: bytes read and written per second; or with one element: the time of a launch.
  Result<Timing> copy(int64_t floats, int64_t samples) {
    QRT_ASSIGN_OR_RETURN(auto from, device.allocate(floats * 4, "copy"));
    QRT_ASSIGN_OR_RETURN(auto to, device.allocate(floats * 4, "copy"));
    QRT_RETURN_IF_ERROR(device.fill(from.get(), 0x3c, floats * 4));
    const int64_t width = std::min<int64_t>(floats, 4096);
    cuda::CopyParams params;
    params.src = {from.get(), width, DType::F32};
    params.dst = {to.get(), width, DType::F32};
    params.rows = floats / width;
    params.width = width;
    return time(samples, [&](int64_t) {
      return device.launched(device.table().launchCopy(device.launch(), params), "Copy");
    });
  }

  Result<OrderedJson> product(const std::string &name, int64_t n, int64_t k, int64_t m,
                              int64_t l2Bytes, int64_t samples) {
    QRT_ASSIGN_OR_RETURN(const WeightFormat format, formatOf(name));
    kernels::WeightDesc desc{format, n, k};
    desc.symmetric = true;
    desc.groupSize = kernels::isQuantized(format) ? groupSize : 0;
    QRT_ASSIGN_OR_RETURN(const kernels::PackedSizes sizes, kernels::packedSizes(desc));
    const int64_t weightBytes = device.table().repackedBytes(desc);
    const auto scaleBytes = int64_t(sizes.scales);
    const int64_t copies = std::min<int64_t>(launchesPerGraph, 3 * l2Bytes / weightBytes + 1);
    std::vector<CudaDevice::Memory> memory;
    std::vector<cuda::Weight> weights;
    auto random = [&](int64_t bytes, auto fill) -> Result<void *> {
      std::vector<uint16_t> host(size_t(bytes + 1) / 2);
      for (uint16_t &v : host)
        v = fill();
      QRT_ASSIGN_OR_RETURN(auto piece, device.allocate(bytes, "operands"));
      QRT_RETURN_IF_ERROR(device.copyToDevice(piece.get(), host.data(), bytes));
      memory.push_back(std::move(piece));
      return memory.back().get();
    };
    std::normal_distribution<float> normal;
    auto halves = [&] { return f32ToF16(normal(generator)); };
    auto anything = [&] { return uint16_t(generator()); };
    for (int64_t i = 0; i < copies; ++i) {
      cuda::Weight weight;
      weight.desc = desc;
      QRT_ASSIGN_OR_RETURN(weight.data, kernels::isQuantized(format) ? random(weightBytes, anything)
                                                                     : random(weightBytes, halves));
      if (scaleBytes > 0) {
        QRT_ASSIGN_OR_RETURN(weight.scales, random(scaleBytes, halves));
      }
      weights.push_back(weight);
    }
    cuda::LinearParams params;
    params.rows = m;
    const int64_t srcStride = (k + 15) / 16 * 16;
    QRT_ASSIGN_OR_RETURN(void *src, random(m * srcStride * 2 + 16, halves));
    params.src = {src, srcStride, DType::F16};
    const int64_t stride = (n + 15) / 16 * 16;
    QRT_ASSIGN_OR_RETURN(auto dst, device.allocate(m * stride * 4, "result"));
    params.dst = {dst.get(), stride, DType::F32};
    params.weight = weights[0];
    const int64_t workspaceBytes = device.table().linearWorkspaceBytes(device.launch(), params);
    QRT_ASSIGN_OR_RETURN(auto workspace,
                         device.allocate(std::max<int64_t>(workspaceBytes, 16), "workspace"));
    QRT_RETURN_IF_ERROR(device.fill(workspace.get(), 0, std::max<int64_t>(workspaceBytes, 16)));
    params.workspace = workspace.get();
    QRT_ASSIGN_OR_RETURN(const Timing timing, time(samples, [&](int64_t i) {
                           cuda::LinearParams call = params;
                           call.weight = weights[size_t(i % copies)];
                           return device.launched(
                               device.table().launchLinear(device.launch(), call), "Linear");
                         }));
    OrderedJson row;
    row["n"] = n;
    row["k"] = k;
    row["format"] = name;
    row["m"] = m;
    row["microseconds"] = timing.median * 1e6;
    row["spread"] = timing.spread * 1e6;
    row["bytes"] = weightBytes + scaleBytes + m * k * 2 + m * n * 4;
    row["operations"] = 2 * m * n * k;
    return row;
  }

private:
  CudaDevice &device;
  std::mt19937 generator{1};
};

Status run(const Settings &settings) {
  for (const std::string &name : settings.formats)
    QRT_RETURN_IF_ERROR(formatOf(name).status());
  QRT_ASSIGN_OR_RETURN(auto device, CudaDevice::open(0));
  cuda::DeviceInfo info = {};
  device->table().deviceInfo(0, &info);
  Bench bench(*device);
  OrderedJson json;
  json["device"] = device->name();
  json["emulated"] = info.emulated != 0;
  const int64_t floats = settings.copyMib << 18;
  QRT_ASSIGN_OR_RETURN(const Timing copy, bench.copy(floats, settings.samples));
  json["copy_bytes_per_second"] = double(floats) * 8 / copy.median;
  QRT_ASSIGN_OR_RETURN(const Timing launch, bench.copy(1, settings.samples));
  json["launch_microseconds"] = launch.median * 1e6;
  json["products"] = OrderedJson::array();
  for (auto [n, k] : settings.shapes)
    for (const std::string &name : settings.formats)
      for (int64_t m : settings.rows) {
        QRT_ASSIGN_OR_RETURN(OrderedJson row,
                             bench.product(name, n, k, m, info.l2Bytes, settings.samples));
        json["products"].push_back(std::move(row));
      }
  std::printf("%s\n", dumpJson(json, 1).c_str());
  return Status::ok();
}

} // namespace

int main(int argc, char **argv) {
  auto settings = readFlags(argc, argv);
  Status done = settings ? run(*settings) : settings.status();
  if (!done)
    std::fprintf(stderr, "qrt_cuda_bench: %s\n", done.message().c_str());
  return done.exitCode();
}
