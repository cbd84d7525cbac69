//===- CudaOps.cpp - Time of what is not a product on a device --------------------------------===//
#include "CudaOps.h"

#include "CudaTiming.h"

#include <random>

namespace qrt::bench {

namespace {

class Operations {
public:
  Operations(CudaDevice &device, double copyRate, int64_t samples)
      : device(device), copyRate(copyRate), samples(samples) {}

  Status attention(const char *shape, int64_t heads, int64_t kvHeads, int64_t dim, DType keys,
                   DType values, int64_t rows, int64_t context) {
    const cuda::Table &table = device.table();
    auto pageOf = [&](DType type) {
      return (table.kvPageBytes(kvHeads, dim, type) + 255) / 256 * 256;
    };
    const int64_t keyPage = pageOf(keys), pages = keyPage + pageOf(values);
    const int64_t blocksOfRow = (context + cuda::kvBlockTokens - 1) / cuda::kvBlockTokens;
    const int64_t bytes = rows * context * kvHeads * dim * (bitWidth(keys) + bitWidth(values)) / 8;
    // Layers in turn, as far as a GiB goes.
    const int64_t layers =
        std::clamp<int64_t>((int64_t(1) << 30) / (rows * blocksOfRow * pages), 1, 24);
    std::vector<int32_t> blocks(size_t(rows * blocksOfRow)), partOfRow(static_cast<size_t>(rows));
    for (size_t i = 0; i < blocks.size(); ++i)
      blocks[i] = int32_t(i);
    std::shuffle(blocks.begin(), blocks.end(), generator);
    std::vector<cuda::Part> parts;
    for (int64_t row = 0; row < rows; ++row) {
      partOfRow[size_t(row)] = int32_t(row);
      parts.push_back({int32_t(row), 1, int32_t(context - 1), 0});
    }
    cuda::AttentionParams params;
    params.kv.keyType = keys;
    params.kv.valueType = values;
    params.kv.blockBytes = layers * pages;
    QRT_ASSIGN_OR_RETURN(params.kv.base, filled(rows * blocksOfRow * layers * pages));
    QRT_ASSIGN_OR_RETURN(params.step.blocks, copied(blocks));
    QRT_ASSIGN_OR_RETURN(params.step.parts, copied(parts));
    QRT_ASSIGN_OR_RETURN(params.step.partOfRow, copied(partOfRow));
    params.step.partCount = int32_t(rows);
    params.step.blockStride = int32_t(blocksOfRow);
    auto matrix = [&](int64_t width, DType kind) -> Result<cuda::Matrix> {
      QRT_ASSIGN_OR_RETURN(void *data, filled(rows * width * 4));
      return cuda::Matrix{data, width, kind};
    };
    QRT_ASSIGN_OR_RETURN(params.q, matrix(heads * dim, DType::F32));
    QRT_ASSIGN_OR_RETURN(params.k, matrix(kvHeads * dim, DType::F32));
    QRT_ASSIGN_OR_RETURN(params.v, matrix(kvHeads * dim, DType::F32));
    QRT_ASSIGN_OR_RETURN(params.dst, matrix(heads * dim, DType::F16));
    QRT_ASSIGN_OR_RETURN(const cuda::Matrix angles, matrix(dim / 2, DType::F32));
    params.cos = params.sin = static_cast<const float *>(angles.data);
    params.half = dim / 2;
    params.rows = rows;
    params.heads = heads;
    params.kvHeads = kvHeads;
    params.headDim = params.valueDim = dim;
    params.scale = 0.125f;
    params.decode = true;
    params.maxContext = context;
    QRT_ASSIGN_OR_RETURN(params.workspace,
                         zeros(table.attentionWorkspaceBytes(device.launch(), params)));
    auto launch = [&](int64_t i) {
      cuda::AttentionParams call = params;
      call.kv.keyOffset = i % layers * pages;
      call.kv.valueOffset = call.kv.keyOffset + keyPage;
      return device.launched(table.launchAttention(device.launch(), call), "Attention");
    };
    OrderedJson row;
    row["op"] = "attention";
    row["shape"] = shape;
    row["kv"] = std::string(name(keys));
    if (values != keys)
      row["kv"] = std::string(name(keys)) + "," + std::string(name(values));
    row["rows"] = rows;
    row["context"] = context;
    return add(std::move(row), bytes, launch);
  }

  Status norm(int64_t rows, int64_t width) {
    cuda::NormParams params;
    QRT_ASSIGN_OR_RETURN(void *src, filled(rows * width * 4));
    QRT_ASSIGN_OR_RETURN(void *dst, filled(rows * width * 4));
    QRT_ASSIGN_OR_RETURN(void *weight, filled(width * 4));
    params.src = {src, width, DType::F32};
    params.dst = {dst, width, DType::F16};
    params.weight = static_cast<const float *>(weight);
    params.rows = rows;
    params.width = params.chunk = width;
    params.epsilon = 1e-6f;
    OrderedJson row;
    row["op"] = "norm";
    row["rows"] = rows;
    row["width"] = width;
    return add(std::move(row), rows * width * 6, [&](int64_t) {
      return device.launched(device.table().launchNorm(device.launch(), params), "Norm");
    });
  }

  Status gated(int64_t rows, int64_t width) {
    cuda::GatedParams params;
    QRT_ASSIGN_OR_RETURN(void *gate, filled(rows * width * 4));
    QRT_ASSIGN_OR_RETURN(void *up, filled(rows * width * 4));
    QRT_ASSIGN_OR_RETURN(void *dst, filled(rows * width * 4));
    params.gate = {gate, width, DType::F32};
    params.up = {up, width, DType::F32};
    params.dst = {dst, width, DType::F16};
    params.rows = rows;
    params.width = width;
    OrderedJson row;
    row["op"] = "gated";
    row["rows"] = rows;
    row["width"] = width;
    return add(std::move(row), rows * width * 10, [&](int64_t) {
      return device.launched(device.table().launchGated(device.launch(), params), "Gated");
    });
  }

  Status sampler(const char *kind, int64_t rows, const SampleRow &request) {
    constexpr int64_t vocab = 151936;
    std::vector<float> logits(static_cast<size_t>(vocab));
    std::normal_distribution<float> normal(0.0f, 3.0f);
    for (float &logit : logits)
      logit = normal(generator);
    for (size_t i = 0; i < 8; ++i)
      logits[i * 1000] = 18.0f + float(i) / 2;
    std::vector<float> all;
    for (int64_t row = 0; row < rows; ++row)
      all.insert(all.end(), logits.begin(), logits.end());
    std::vector<SampleEntry> entries;
    for (int32_t i = 0; i < 1000; ++i)
      entries.push_back({i * 150, 1});
    std::vector<SampleRow> requests(static_cast<size_t>(rows), request);
    for (size_t i = 0; i < requests.size(); ++i)
      requests[i].seed = i;
    cuda::SampleParams params;
    QRT_ASSIGN_OR_RETURN(void *data, copied(all));
    params.logits = static_cast<float *>(data);
    params.stride = params.vocab = vocab;
    params.count = rows;
    QRT_ASSIGN_OR_RETURN(params.rows, copied(requests));
    QRT_ASSIGN_OR_RETURN(params.entries, copied(entries));
    QRT_ASSIGN_OR_RETURN(void *scratch, zeros(rows * cuda::sampleScratchWords(vocab) * 8));
    params.scratch = static_cast<uint64_t *>(scratch);
    QRT_ASSIGN_OR_RETURN(void *results, zeros(rows * int64_t(sizeof(SampleResult))));
    params.results = static_cast<SampleResult *>(results);
    OrderedJson row;
    row["op"] = "sample";
    row["request"] = kind;
    row["rows"] = rows;
    return add(std::move(row), rows * vocab * 4, [&](int64_t) {
      return device.launched(device.table().launchSample(device.launch(), params), "Sample");
    });
  }

  /// Frees what the case took.
  Status next(Status status) {
    memory.clear();
    return status;
  }

  OrderedJson cases = OrderedJson::array();

private:
  Result<void *> filled(int64_t bytes, int value = 0x33) {
    QRT_ASSIGN_OR_RETURN(auto piece, device.allocate(bytes, "operands"));
    QRT_RETURN_IF_ERROR(device.fill(piece.get(), value, bytes));
    memory.push_back(std::move(piece));
    return memory.back().get();
  }
  Result<void *> zeros(int64_t bytes) { return filled(std::max<int64_t>(bytes, 16), 0); }
  template <class T>
  Result<T *> copied(const std::vector<T> &values) {
    const auto bytes = int64_t(values.size() * sizeof(T));
    QRT_ASSIGN_OR_RETURN(void *data, zeros(bytes));
    QRT_RETURN_IF_ERROR(device.copyToDevice(data, values.data(), bytes));
    QRT_RETURN_IF_ERROR(device.synchronize());
    return static_cast<T *>(data);
  }

  template <class LaunchOne>
  Status add(OrderedJson row, int64_t bytes, LaunchOne launch) {
    const int64_t launches = bytes > (64 << 20) ? 10 : 100;
    QRT_ASSIGN_OR_RETURN(const Timing timing, timeGraph(device, launches, samples, launch));
    row["microseconds"] = timing.median * 1e6;
    row["spread"] = timing.spread * 1e6;
    row["bytes"] = bytes;
    row["share"] = double(bytes) / timing.median / copyRate;
    cases.push_back(std::move(row));
    return Status::ok();
  }

  CudaDevice &device;
  double copyRate;
  int64_t samples;
  std::mt19937 generator{1};
  std::vector<CudaDevice::Memory> memory;
};

} // namespace

Result<OrderedJson> timeOperations(CudaDevice &device, double copyRate, int64_t samples) {
  Operations ops(device, copyRate, samples);
  struct Shape {
    const char *name;
    int64_t heads, kvHeads, dim;
  };
  for (const Shape &s : {Shape{"0.5b", 14, 2, 64}, Shape{"8b", 32, 8, 128}})
    for (int64_t rows : {1, 32})
      for (int64_t context : {128, 1024, 8192, 32768})
        for (auto [keys, values] :
             {std::pair{DType::F16, DType::F16}, std::pair{DType::I8, DType::I8},
              std::pair{DType::I4, DType::I4}, std::pair{DType::I8, DType::I4},
              std::pair{DType::F16, DType::I4}})
          if (rows == 1 || context <= 8192)
            QRT_RETURN_IF_ERROR(ops.next(
                ops.attention(s.name, s.heads, s.kvHeads, s.dim, keys, values, rows, context)));
  for (int64_t rows : {1, 32}) {
    QRT_RETURN_IF_ERROR(ops.next(ops.norm(rows, 896)));
    QRT_RETURN_IF_ERROR(ops.next(ops.norm(rows, 4096)));
    QRT_RETURN_IF_ERROR(ops.next(ops.gated(rows, 4864)));
    SampleRow greedy, plain, cut, penalised;
    greedy.temperature = 0;
    cut.temperature = 0.6f;
    cut.topK = 20;
    cut.topP = 0.95f;
    penalised = greedy;
    penalised.repetition = 1.1f;
    penalised.seen = {0, 1000};
    QRT_RETURN_IF_ERROR(ops.next(ops.sampler("greedy", rows, greedy)));
    QRT_RETURN_IF_ERROR(ops.next(ops.sampler("greedy, 1000 penalties", rows, penalised)));
    QRT_RETURN_IF_ERROR(ops.next(ops.sampler("temperature 1", rows, plain)));
    QRT_RETURN_IF_ERROR(ops.next(ops.sampler("0.6, top-k 20, top-p 0.95", rows, cut)));
    cut.topK = 0;
    QRT_RETURN_IF_ERROR(ops.next(ops.sampler("0.6, top-p 0.95", rows, cut)));
  }
  return std::move(ops.cases);
}

} // namespace qrt::bench
