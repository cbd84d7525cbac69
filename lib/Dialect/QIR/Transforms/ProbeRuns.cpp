//===- ProbeRuns.cpp - Evaluates the graph on small inputs ------------------------------------===//
#include "ProbeRuns.h"

#include "qopt/Interpreter/OpEvaluation.h"

#include "qrt/Half.h"

#include <cstring>
#include <numeric>

using namespace mlir;
using namespace qopt::interpreter;
using qrt::DType;
using qrt::tensor::Tensor;

namespace qopt::qir::raise {

double elementAt(const Tensor &tensor, int64_t offset) {
  const char *bytes = static_cast<const char *>(tensor.data.get());
  auto read = [&]<typename T>(T value) {
    std::memcpy(&value, bytes + offset * sizeof(T), sizeof(T));
    return value;
  };
  switch (tensor.dtype) {
  case DType::F32:
    return read(float());
  case DType::F64:
    return read(double());
  case DType::F16:
    return qrt::f16ToF32(read(uint16_t()));
  case DType::BF16:
    return qrt::bf16ToF32(read(uint16_t()));
  case DType::I16:
    return read(int16_t());
  case DType::U16:
    return read(uint16_t());
  case DType::I32:
    return read(int32_t());
  case DType::U32:
    return read(uint32_t());
  case DType::I64:
    return static_cast<double>(read(int64_t()));
  case DType::U64:
    return static_cast<double>(read(uint64_t()));
  case DType::I8:
  case DType::I4:
  case DType::I2:
    return read(int8_t());
  default:
    return read(uint8_t());
  }
}

Tensor integerTensor(DType dtype, std::vector<int64_t> shape, ArrayRef<int64_t> values) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  auto bytes = std::make_shared<std::vector<char>>(values.size() * qrt::byteWidth(dtype));
  for (size_t i = 0; i < values.size(); ++i)
    std::memcpy(bytes->data() + i * qrt::byteWidth(dtype), &values[i], qrt::byteWidth(dtype));
  tensor.data = std::shared_ptr<const void>(bytes, bytes->data());
  return tensor;
}

/// Sizes of an argument: static ones as they are, then batch first, time where it is wanted.
static std::vector<int64_t> argumentShape(RankedTensorType type, ArrayRef<int64_t> dynamic) {
  std::vector<int64_t> shape;
  size_t next = 0;
  for (int64_t size : type.getShape())
    shape.push_back(!ShapedType::isDynamic(size) ? size
                                                 : dynamic[std::min(next++, dynamic.size() - 1)]);
  return shape;
}

static std::optional<DType> argumentType(func::FuncOp function, unsigned argument) {
  auto type = dyn_cast<RankedTensorType>(function.getArgument(argument).getType());
  return type ? dtypeOf(type.getElementType()) : std::nullopt;
}

std::optional<Tensor> emptyPast(func::FuncOp function, unsigned argument, int64_t headSize) {
  std::optional<DType> dtype = argumentType(function, argument);
  if (!dtype)
    return std::nullopt;
  auto type = cast<RankedTensorType>(function.getArgument(argument).getType());
  std::vector<int64_t> shape = argumentShape(type, {1, 0, headSize});
  int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
  auto bytes = std::make_shared<std::vector<char>>(count * qrt::byteWidth(*dtype) + 1);
  Tensor tensor;
  tensor.dtype = *dtype;
  tensor.shape = std::move(shape);
  tensor.data = std::shared_ptr<const void>(bytes, bytes->data());
  return tensor;
}

std::optional<Tensor> argumentTensor(func::FuncOp function, unsigned argument, const Sizing &sizing,
                                     ArrayRef<int64_t> ids) {
  std::optional<DType> dtype = argumentType(function, argument);
  if (!dtype)
    return std::nullopt;
  auto type = cast<RankedTensorType>(function.getArgument(argument).getType());
  int64_t batch = sizing.batch, total = sizing.past + sizing.fresh;
  ArgumentRole role = roleOf(function, argument);
  std::vector<int64_t> shape, data;
  switch (role) {
  case ArgumentRole::Ids:
  case ArgumentRole::Segments:
    shape = argumentShape(type, {batch, sizing.fresh});
    break;
  case ArgumentRole::Mask:
    shape = argumentShape(type, {batch, total});
    break;
  case ArgumentRole::Positions:
    shape = type.getRank() == 1 ? argumentShape(type, {sizing.fresh})
                                : argumentShape(type, {batch, sizing.fresh});
    break;
  case ArgumentRole::PastLength:
  case ArgumentRole::TotalLength:
    shape = argumentShape(type, {batch});
    break;
  case ArgumentRole::PastState:
  case ArgumentRole::Unknown:
    return std::nullopt;
  }
  if (role == ArgumentRole::Ids && ids.empty()) {
    Tensor tensor;
    tensor.dtype = *dtype;
    tensor.shape = std::move(shape);
    return tensor;
  }
  int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
  for (int64_t i = 0; i < count; ++i)
    data.push_back(role == ArgumentRole::Ids           ? ids[i % ids.size()]
                   : role == ArgumentRole::Mask        ? 1
                   : role == ArgumentRole::Positions   ? sizing.past + i % sizing.fresh
                   : role == ArgumentRole::PastLength  ? sizing.past
                   : role == ArgumentRole::TotalLength ? total
                                                       : 0);
  return integerTensor(*dtype, std::move(shape), data);
}

LogicalResult ProbeRuns::evaluateRun(func::FuncOp function, const Sizing &sizing, ProbeRun &run) {
  run.sizing = sizing;
  run.values.clear();
  for (BlockArgument argument : function.getArguments()) {
    unsigned number = argument.getArgNumber();
    std::optional<DType> dtype = argumentType(function, number);
    if (dtype && roleOf(function, number) == ArgumentRole::PastState) {
      auto known = headSizes_.find(argument);
      Tensor &value = run.values[argument];
      value.dtype = *dtype;
      value.shape =
          argumentShape(cast<RankedTensorType>(argument.getType()),
                        {sizing.batch, sizing.past, known == headSizes_.end() ? 1 : known->second});
      continue;
    }
    std::optional<Tensor> value = argumentTensor(function, number, sizing, {});
    if (!value) {
      auto name = function.getArgAttrOfType<StringAttr>(number, "qir.name");
      reason = "input '" + (name ? name.str() : std::to_string(number)) + "' has no known meaning";
      return failure();
    }
    run.values[argument] = std::move(*value);
  }
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (failed(evaluateOp(&op, run.values, reason))) {
      where = &op;
      return failure();
    }
  }
  return success();
}

void ProbeRuns::findTokenValues(func::FuncOp function) {
  for (BlockArgument argument : function.getArguments()) {
    ArgumentRole role = roleOf(function, argument.getArgNumber());
    if (role == ArgumentRole::Ids || role == ArgumentRole::PastState)
      dependsOnTokens_.insert(argument);
  }
  for (Operation &op : function.getBody().front()) {
    if (isa<ShapeOfOp, SizeOfOp>(op))
      continue;
    bool depends = false;
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        depends |= dependsOnTokens_.contains(operand);
    });
    if (depends)
      for (Value result : op.getResults())
        dependsOnTokens_.insert(result);
  }
}

/// Some builders leave the head size of the caches symbolic. It is the last dimension of what the
/// cache is joined with.
static std::optional<std::pair<Value, int64_t>> headSizeFromConcat(Operation *op,
                                                                   const TensorMap &values) {
  auto concat = dyn_cast_or_null<ConcatOp>(op);
  if (!concat || concat.getInputs().size() != 2)
    return std::nullopt;
  auto past = dyn_cast<BlockArgument>(concat.getInputs()[0]);
  auto type = past ? dyn_cast<RankedTensorType>(past.getType()) : RankedTensorType();
  auto fresh = values.find(concat.getInputs()[1]);
  if (!type || type.getRank() == 0 || !type.isDynamicDim(type.getRank() - 1) ||
      fresh == values.end() || fresh->second.shape.size() != static_cast<size_t>(type.getRank()))
    return std::nullopt;
  return std::pair<Value, int64_t>(past, fresh->second.shape.back());
}

int64_t ProbeRuns::longest() const {
  int64_t result = 0;
  for (const ProbeRun &run : runs_)
    result = std::max(result, run.sizing.past + run.sizing.fresh);
  return result;
}

LogicalResult ProbeRuns::evaluate(func::FuncOp function, int64_t farthest) {
  findTokenValues(function);
  bool hasPast = false;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    hasPast |= roleOf(function, i) == ArgumentRole::PastState;
  auto tryRun = [&](Sizing sizing) {
    if (!hasPast) { // the graph sees whole sequences
      sizing.fresh += sizing.past;
      sizing.past = 0;
    }
    ProbeRun run;
    if (failed(evaluateRun(function, sizing, run)))
      return failure();
    runs_.push_back(std::move(run));
    return success();
  };
  auto tryAll = [&](ArrayRef<Sizing> sizings) {
    runs_.clear();
    for (const Sizing &sizing : sizings) {
      // A symbolic head size shows as a failing concatenation, one cache at a time.
      for (unsigned retry = 0; failed(tryRun(sizing)); ++retry) {
        ProbeRun partial;
        (void)evaluateRun(function, sizing, partial);
        auto headSize = headSizeFromConcat(where, partial.values);
        if (!headSize || retry > function.getNumArguments() ||
            !headSizes_.try_emplace(headSize->first, headSize->second).second)
          return failure();
      }
    }
    return success();
  };
  int64_t chunk = 4;
  if (failed(tryAll({{2, 5, 7}, {3, 11, 13}}))) {
    // Some graphs take several tokens without a cache, or one token behind it, but not both.
    std::string firstReason = reason;
    Operation *firstPlace = where;
    chunk = 1;
    if (!hasPast || failed(tryAll({{2, 5, 0}, {3, 11, 0}, {2, 1, 7}, {3, 1, 13}}))) {
      reason = firstReason;
      where = firstPlace;
      return failure();
    }
  }
  numLayoutRuns_ = runs_.size();
  where = nullptr;
  reason.clear();

  if (failed(tryRun({1, 48, 0})) && failed(tryRun({1, 16, 0})))
    return failure();
  int64_t far = 0;
  for (int64_t past : {40000, 16380, 8188, 4092, 2040, 1020, 500, 250, 120, 60})
    if (past <= farthest && succeeded(tryRun({1, chunk, past}))) {
      far = past;
      break;
    }
  // A run between the long one and the far one, so that angles are predicted well enough.
  if (far > 1000)
    (void)tryRun({1, chunk, far > 8000 ? 700 : 300});
  where = nullptr;
  reason.clear();
  return success();
}

const Tensor *ProbeRuns::shapeOnly(size_t run, Value value) const {
  auto it = runs_[run].values.find(value);
  return it == runs_[run].values.end() ? nullptr : &it->second;
}

const Tensor *ProbeRuns::data(size_t run, Value value) const {
  const Tensor *tensor = shapeOnly(run, value);
  return tensor && tensor->data ? tensor : nullptr;
}

std::optional<std::vector<int64_t>> ProbeRuns::integers(Value value, size_t run) const {
  const Tensor *tensor = data(run, value);
  if (!tensor || !(qrt::isInteger(tensor->dtype)))
    return std::nullopt;
  int64_t count = 1;
  for (int64_t size : tensor->shape)
    count *= size;
  std::vector<int64_t> result;
  for (int64_t i = 0; i < count; ++i) {
    if (tensor->dtype == DType::I64) { // exact beyond 2^53
      int64_t exact;
      std::memcpy(&exact, static_cast<const char *>(tensor->data.get()) + 8 * i, 8);
      result.push_back(exact);
      continue;
    }
    result.push_back(static_cast<int64_t>(elementAt(*tensor, i)));
  }
  return result;
}

} // namespace qopt::qir::raise
