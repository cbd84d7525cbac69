//===- CudaBench.cpp - Products on a device: time, bytes, share of the copy rate --------------===//
// qrt_cuda_bench [--shapes NxK,..] [--formats w4,..] [--rows M,..] [--groups 128,..] [--types
// f16,..]
//                [--samples N] [--copy-mib N]
// qrt_cuda_bench --check [--shapes NxK,..] [--formats w4,..] [--rows M,..] [--groups 128,..]
//                [--types f16,..]
//
// qrt_cuda_bench --ops [--samples N] [--copy-mib N]
//
// --ops times what is not a product (CudaOps.h). --check compares every product with exact ones
// (CudaCheck.h) instead of timing it, symmetric and asymmetric; exit code 1 if one is wrong. Group
// 0: one scale per row. Type a8: 8-bit activations, rounded before the clock starts.
//
// Per case a graph of launches, each with another copy of the weight until the copies exceed three
// times the L2 cache, so that weights come from memory; the median over the samples of the time of
// a replay. The ceiling, bytes read and written by a large copy, and the time of a launch that does
// nothing much are measured in the same run. JSON on stdout; exit code 13 without a device.
//===----------------------------------------------------------------------===//
#include "CudaCheck.h"
#include "CudaOps.h"
#include "CudaTiming.h"

#include <charconv>
#include <cstdio>

using namespace qrt;
using namespace qrt::bench;
using kernels::WeightFormat;

namespace {

struct Settings {
  std::vector<std::pair<int64_t, int64_t>> shapes = {{4096, 4096}, {28672, 4096}, {4096, 14336},
                                                     {9728, 896},  {896, 4864},   {151936, 896}};
  std::vector<std::string> formats = {"w8", "w4", "w3", "w2", "f16"};
  std::vector<int64_t> rows = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2048};
  std::vector<int64_t> groups = {128};
  std::vector<DType> types = {DType::F16};
  int64_t samples = 30, copyMib = 1024;
  bool check = false, ops = false;

  /// What --check takes where no flag says otherwise.
  void useCheckDefaults() {
    shapes = {{1000, 896}, {130, 1001}, {520, 4096}};
    formats = {"w8", "w4", "w3", "w2", "f16", "bf16"};
    rows = {1, 3, 8, 9, 16, 17, 31, 33, 64, 65, 127, 129, 256, 300, 512, 1000, 2048};
    groups = {32, 64, 128, 0};
    types = {DType::F16, DType::BF16, DType::I8};
    check = true;
  }
};

constexpr int64_t launchesPerGraph = 20;

Result<WeightFormat> formatOf(const std::string &name) {
  const std::pair<const char *, WeightFormat> names[] = {
      {"w8", WeightFormat::U8}, {"w4", WeightFormat::U4},   {"w3", WeightFormat::U3},
      {"w2", WeightFormat::U2}, {"f16", WeightFormat::F16}, {"bf16", WeightFormat::BF16}};
  for (auto [known, format] : names)
    if (name == known)
      return format;
  return invalidArgument("--formats: unknown '" + name + "'");
}

Result<int64_t> number(std::string_view text, const std::string &flag, int64_t least = 1) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least)
    return invalidArgument(flag + ": expects numbers from " + std::to_string(least) + ", got '" +
                           std::string(text) + "'");
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
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--check")
      s.useCheckDefaults();
    else if (std::string_view(argv[i]) == "--ops")
      s.ops = true;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--check" || flag == "--ops") {
      --i;
      continue;
    }
    if (i + 1 == argc)
      return invalidArgument(flag + " expects a value");
    if (s.ops && (s.check || (flag != "--samples" && flag != "--copy-mib")))
      return invalidArgument("--ops takes --samples and --copy-mib alone");
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
    } else if (flag == "--groups") {
      s.groups.clear();
      for (const std::string &group : split(value, ',')) {
        QRT_ASSIGN_OR_RETURN(const int64_t g, number(group, flag, 0));
        s.groups.push_back(g);
      }
    } else if (flag == "--types") {
      s.types.clear();
      for (const std::string &type : split(value, ',')) {
        if (type != "f16" && type != "bf16" && type != "a8")
          return invalidArgument("--types: unknown '" + type + "'");
        s.types.push_back(type == "f16" ? DType::F16 : type == "a8" ? DType::I8 : DType::BF16);
      }
    } else if (s.check) {
      return invalidArgument(flag + " is not a flag of --check");
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

class Bench {
public:
  explicit Bench(CudaDevice &device) : device(device) {}

  template <class LaunchOne>
  Result<Timing> time(int64_t samples, LaunchOne launch) {
    return timeGraph(device, launchesPerGraph, samples, launch);
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

  Result<OrderedJson> product(const ProductCase &product, int64_t m, int64_t l2Bytes,
                              int64_t samples) {
    const auto [format, n, k] = std::tuple(product.desc.format, product.desc.n, product.desc.k);
    QRT_ASSIGN_OR_RETURN(const kernels::PackedSizes sizes, kernels::packedSizes(product.desc));
    const int64_t weightBytes = device.table().repackedBytes(product.desc);
    const auto scaleBytes = int64_t(sizes.scales);
    const int64_t copies = std::min<int64_t>(launchesPerGraph, 3 * l2Bytes / weightBytes + 1);
    CudaOperands operands(device);
    std::vector<cuda::Weight> weights;
    for (int64_t i = 0; i < copies; ++i) {
      QRT_ASSIGN_OR_RETURN(const cuda::Weight weight, operands.weight(product.desc));
      weights.push_back(weight);
    }
    std::normal_distribution<float> normal;
    cuda::LinearParams params;
    params.rows = m;
    const int64_t srcStride = (k + 15) / 16 * 16;
    QRT_ASSIGN_OR_RETURN(void *src, operands.halves(m * srcStride * 2 + 16, "activations", [&] {
      return roundTo(product.type, normal(operands.random()));
    }));
    params.src = {src, srcStride, product.type};
    if (product.type == DType::I8) {
      const int32_t block = product.desc.groupSize ? product.desc.groupSize : 128;
      QRT_ASSIGN_OR_RETURN(void *rounded,
                           operands.poisoned(device.table().int8Bytes(m, k, block), "codes"));
      const cuda::QuantizeParams quantize = {{src, srcStride, DType::F16}, m, k, block, rounded};
      QRT_RETURN_IF_ERROR(
          device.launched(device.table().launchQuantize(device.launch(), quantize), "Quantize"));
      params.src = {rounded, 0, DType::I8};
    }
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
    row["format"] = product.name;
    row["group"] = product.desc.groupSize;
    row["type"] = product.type == DType::I8 ? "a8" : std::string(name(product.type));
    row["m"] = m;
    row["microseconds"] = timing.median * 1e6;
    row["spread"] = timing.spread * 1e6;
    row["bytes"] = weightBytes + scaleBytes + m * k * byteWidth(product.type) + m * n * 4;
    row["operations"] = 2 * m * n * k;
    return row;
  }

private:
  CudaDevice &device;
};

/// All that the flags ask for; 16-bit weights have no groups and come with their own type.
Result<std::vector<ProductCase>> casesOf(const Settings &settings) {
  std::vector<ProductCase> cases;
  for (auto [n, k] : settings.shapes)
    for (const std::string &name : settings.formats) {
      QRT_ASSIGN_OR_RETURN(const WeightFormat format, formatOf(name));
      const bool codes = kernels::isQuantized(format);
      for (DType type : settings.types)
        for (int64_t group : codes ? settings.groups : std::vector<int64_t>{0})
          for (bool symmetric : {true, false}) {
            if ((!symmetric && !(codes && settings.check)) || (type == DType::I8 && !codes))
              continue;
            ProductCase product{name, {format, n, k, int32_t(group), symmetric}, type};
            QRT_RETURN_IF_ERROR(kernels::packedSizes(product.desc).status());
            cases.push_back(product);
          }
    }
  return cases;
}

Status check(CudaDevice &device, const std::vector<ProductCase> &cases, const Settings &settings) {
  OrderedJson json;
  json["device"] = device.name();
  json["checks"] = OrderedJson::array();
  int64_t failures = 0;
  for (const ProductCase &product : cases) {
    QRT_ASSIGN_OR_RETURN(CheckResult result, checkProduct(device, product, settings.rows));
    failures += result.failures;
    json["checks"].push_back(std::move(result.report));
  }
  std::printf("%s\n", dumpJson(json, 1).c_str());
  return failures == 0 ? Status::ok()
                       : Status::error(StatusCode::Internal,
                                       std::to_string(failures) + " products are wrong");
}

Status run(const Settings &settings) {
  QRT_ASSIGN_OR_RETURN(const std::vector<ProductCase> cases, casesOf(settings));
  QRT_ASSIGN_OR_RETURN(auto device, CudaDevice::open(0));
  if (settings.check)
    return check(*device, cases, settings);
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
  if (settings.ops) {
    const double rate = json["copy_bytes_per_second"].get<double>();
    QRT_ASSIGN_OR_RETURN(json["operations"], timeOperations(*device, rate, settings.samples));
    std::printf("%s\n", dumpJson(json, 1).c_str());
    return Status::ok();
  }
  json["products"] = OrderedJson::array();
  for (const ProductCase &product : cases)
    for (int64_t m : settings.rows) {
      QRT_ASSIGN_OR_RETURN(OrderedJson row,
                           bench.product(product, m, info.l2Bytes, settings.samples));
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
