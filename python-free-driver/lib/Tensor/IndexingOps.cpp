//===- IndexingOps.cpp - gather, gather_elements, gather_nd, scatter_nd, non_zero -------------===//
#include "Tensor/IndexingOps.h"

#include "Tensor/Elements.h"

#include <cstring>

namespace qrt::tensor {

using Results = std::vector<Tensor>;

static Result<Results> abstractResult(DType dtype, Shape shape) {
  QRT_ASSIGN_OR_RETURN(Tensor result, abstractTensor(dtype, std::move(shape)));
  return Results{std::move(result)};
}

/// An index counted from the end where it is negative; it must lie inside `size`.
static Result<int64_t> indexOf(int64_t index, int64_t size) {
  if (index < -size || index >= size)
    return invalidArgument("index " + std::to_string(index) + " is outside a dimension of " +
                           std::to_string(size));
  return index < 0 ? index + size : index;
}

static Status checkIndices(const Tensor &indices) {
  if (isInteger(indices.dtype))
    return Status::ok();
  return invalidArgument("'indices' is " + describe(indices) + ", not integer");
}

static Result<Results> gather(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &indices = *operands[1];
  QRT_RETURN_IF_ERROR(checkIndices(indices));
  QRT_ASSIGN_OR_RETURN(int64_t given, intAttr(call, "axis", 0));
  QRT_ASSIGN_OR_RETURN(size_t axis, axisOf(given, x.shape.size()));
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<int64_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<int64_t>(axis) + 1, x.shape.end());
  if (isAbstract(x) || isAbstract(indices))
    return abstractResult(x.dtype, std::move(shape));
  std::vector<int64_t> places;
  for (int64_t index : Elements<int64_t>(indices)) {
    QRT_ASSIGN_OR_RETURN(int64_t place, indexOf(index, x.shape[axis]));
    places.push_back(place);
  }
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, std::move(shape)));
  const int64_t outer = countOf(x.shape, 0, axis);
  const int64_t bytes = countOf(x.shape, axis + 1, x.shape.size()) * byteWidth(x.dtype);
  const auto *from = static_cast<const char *>(x.data.get());
  char *to = fresh.as<char>();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t place : places) {
      std::memcpy(to, from + (o * x.shape[axis] + place) * bytes, static_cast<size_t>(bytes));
      to += bytes;
    }
  return Results{std::move(fresh.tensor)};
}

static Result<Results> gatherElements(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &indices = *operands[1];
  QRT_RETURN_IF_ERROR(checkIndices(indices));
  QRT_ASSIGN_OR_RETURN(int64_t given, intAttr(call, "axis", 0));
  QRT_ASSIGN_OR_RETURN(size_t axis, axisOf(given, x.shape.size()));
  bool fits = indices.shape.size() == x.shape.size();
  for (size_t i = 0; fits && i < x.shape.size(); ++i)
    fits = i == axis || indices.shape[i] <= x.shape[i];
  if (!fits)
    return invalidArgument("indices of shape " + shapeText(indices.shape) + " do not fit shape " +
                           shapeText(x.shape));
  if (isAbstract(x) || isAbstract(indices))
    return abstractResult(x.dtype, indices.shape);
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, indices.shape));
  const Elements<int64_t> places(indices);
  std::vector<int64_t> strides = stridesOf(x.shape);
  const int64_t along = strides[axis], width = byteWidth(x.dtype);
  strides[axis] = 0; // the index decides
  Status bad;
  forEachRow<1>(indices.shape, {strides},
                [&](int64_t at, const auto &offsets, int64_t length, const auto &steps) {
                  for (int64_t i = 0; i < length && bad.isOk(); ++i) {
                    auto place = indexOf(places.data()[at + i], x.shape[axis]);
                    if (!place) {
                      bad = place.status();
                      return;
                    }
                    const int64_t from = offsets[0] + i * steps[0] + *place * along;
                    std::memcpy(fresh.as<char>() + (at + i) * width,
                                static_cast<const char *>(x.data.get()) + from * width,
                                static_cast<size_t>(width));
                  }
                });
  QRT_RETURN_IF_ERROR(bad);
  return Results{std::move(fresh.tensor)};
}

/// Index vectors of length `depth` that choose slices of `inner` elements of x behind `batch` axes.
struct SliceChoice {
  int64_t batches, perBatch, depth, inner;
  std::vector<int64_t> starts; ///< first element of each slice, in order of the index vectors
};

/// `batch` axes are shared. The starts are computed only where the indices have data.
static Result<SliceChoice> chooseSlices(const Tensor &x, const Tensor &indices, size_t batch) {
  QRT_RETURN_IF_ERROR(checkIndices(indices));
  const size_t rank = indices.shape.size();
  auto mismatch = [&] {
    return invalidArgument("indices of shape " + shapeText(indices.shape) + " do not fit shape " +
                           shapeText(x.shape));
  };
  if (rank == 0 || batch >= rank || batch > x.shape.size())
    return mismatch();
  SliceChoice choice;
  choice.depth = indices.shape.back();
  if (choice.depth > static_cast<int64_t>(x.shape.size() - batch))
    return mismatch();
  for (size_t i = 0; i < batch; ++i)
    if (indices.shape[i] != x.shape[i])
      return mismatch();
  const size_t indexed = batch + static_cast<size_t>(choice.depth);
  choice.batches = countOf(indices.shape, 0, batch);
  choice.perBatch = countOf(indices.shape, batch, rank - 1);
  choice.inner = countOf(x.shape, indexed, x.shape.size());
  if (isAbstract(indices))
    return choice;
  const Elements<int64_t> numbers(indices);
  const int64_t batchSize = countOf(x.shape, batch, x.shape.size());
  const int64_t *next = numbers.data();
  // Vectors of length 0 exist in numbers that the shape alone decides.
  QRT_RETURN_IF_ERROR(checkShape(DType::I64, {choice.batches, choice.perBatch}).status());
  for (int64_t b = 0; b < choice.batches; ++b)
    for (int64_t i = 0; i < choice.perBatch; ++i) {
      int64_t start = 0;
      for (size_t axis = batch; axis < indexed; ++axis) {
        QRT_ASSIGN_OR_RETURN(int64_t place, indexOf(*next++, x.shape[axis]));
        start = start * x.shape[axis] + place;
      }
      choice.starts.push_back(b * batchSize + start * choice.inner);
    }
  return choice;
}

/// The shape of the chosen slices together.
static Shape slicesShape(const Tensor &x, const Tensor &indices, size_t batch, int64_t depth) {
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  shape.insert(shape.end(), x.shape.begin() + static_cast<int64_t>(batch) + depth, x.shape.end());
  return shape;
}

static Result<Results> gatherNd(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &indices = *operands[1];
  QRT_ASSIGN_OR_RETURN(int64_t batch, intAttr(call, "batch_dims", 0));
  if (batch < 0)
    return invalidArgument("attribute 'batch_dims' is negative");
  QRT_ASSIGN_OR_RETURN(SliceChoice choice, chooseSlices(x, indices, static_cast<size_t>(batch)));
  Shape shape = slicesShape(x, indices, static_cast<size_t>(batch), choice.depth);
  if (isAbstract(x) || isAbstract(indices))
    return abstractResult(x.dtype, std::move(shape));
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, std::move(shape)));
  const int64_t width = byteWidth(x.dtype), bytes = choice.inner * width;
  char *to = fresh.as<char>();
  for (int64_t start : choice.starts) {
    std::memcpy(to, static_cast<const char *>(x.data.get()) + start * width,
                static_cast<size_t>(bytes));
    to += bytes;
  }
  return Results{std::move(fresh.tensor)};
}

template <class C>
static C combined(const std::string &reduction, C old, C value) {
  using W = std::conditional_t<std::is_integral_v<C>, uint64_t, C>;
  if (reduction == "add")
    return static_cast<C>(W(old) + W(value));
  if (reduction == "mul")
    return static_cast<C>(W(old) * W(value));
  return reduction == "min" ? (value < old ? value : old) : (value > old ? value : old);
}

static Result<Results> scatterNd(const OpCall &call, Operands operands) {
  const Tensor &x = *operands[0], &indices = *operands[1], &updates = *operands[2];
  QRT_ASSIGN_OR_RETURN(std::string reduction, stringAttr(call, "reduction", "none"));
  if (reduction != "none" && reduction != "add" && reduction != "mul" && reduction != "min" &&
      reduction != "max")
    return invalidArgument("attribute 'reduction' is '" + reduction + "'");
  QRT_ASSIGN_OR_RETURN(SliceChoice choice, chooseSlices(x, indices, 0));
  if (updates.dtype != x.dtype || updates.shape != slicesShape(x, indices, 0, choice.depth))
    return invalidArgument("updates " + describe(updates) + " do not fit " + describe(x) +
                           " and indices of shape " + shapeText(indices.shape));
  if (isAbstract(x) || isAbstract(indices) || isAbstract(updates))
    return abstractResult(x.dtype, x.shape);
  if (reduction == "none") {
    QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(x.dtype, x.shape));
    const int64_t width = byteWidth(x.dtype), bytes = choice.inner * width;
    std::memcpy(fresh.data, x.data.get(), static_cast<size_t>(countOf(x) * width));
    const auto *from = static_cast<const char *>(updates.data.get());
    for (int64_t start : choice.starts) {
      std::memcpy(fresh.as<char>() + start * width, from, static_cast<size_t>(bytes));
      from += bytes;
    }
    return Results{std::move(fresh.tensor)};
  }
  if (x.dtype == DType::Bool)
    return unsupported("reduction '" + reduction + "' is not defined for bool");
  return withComputeType(x.dtype, [&](auto type) -> Result<Results> {
    using C = decltype(type);
    std::vector<C> values(static_cast<size_t>(countOf(x)));
    loadElements(x, values.data());
    const Elements<C> from(updates);
    const C *next = from.data();
    for (int64_t start : choice.starts)
      for (int64_t i = 0; i < choice.inner; ++i) {
        C &value = values[static_cast<size_t>(start + i)];
        value = combined(reduction, value, *next++);
      }
    QRT_ASSIGN_OR_RETURN(Tensor result, pack(x.dtype, x.shape, std::move(values)));
    return Results{std::move(result)};
  });
}

static Result<Results> nonZero(const OpCall &, Operands operands) {
  const Tensor &x = *operands[0];
  if (isAbstract(x))
    return unsupported("the shape of the result depends on values that are not known");
  std::vector<int64_t> found;
  withComputeType(x.dtype, [&](auto type) {
    const Elements<decltype(type)> from(x);
    for (size_t i = 0; i < from.size(); ++i)
      if (from[i] != decltype(type)(0))
        found.push_back(static_cast<int64_t>(i));
  });
  const std::vector<int64_t> strides = stridesOf(x.shape);
  std::vector<int64_t> values;
  values.reserve(found.size() * strides.size());
  for (size_t axis = 0; axis < strides.size(); ++axis)
    for (int64_t at : found)
      values.push_back(at / strides[axis] % x.shape[axis]);
  Shape shape = {static_cast<int64_t>(strides.size()), static_cast<int64_t>(found.size())};
  QRT_ASSIGN_OR_RETURN(Tensor result, pack(DType::I64, std::move(shape), std::move(values)));
  return Results{std::move(result)};
}

void addIndexingOps(OpTable &table) {
  table["gather"] = {2, 2, gather};
  table["gather_elements"] = {2, 2, gatherElements};
  table["gather_nd"] = {2, 2, gatherNd};
  table["scatter_nd"] = {3, 3, scatterNd};
  table["non_zero"] = {1, 1, nonZero};
  addMarginOps(table);
}

} // namespace qrt::tensor
