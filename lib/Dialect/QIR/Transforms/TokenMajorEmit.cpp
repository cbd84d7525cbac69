//===- TokenMajorEmit.cpp - Turns descriptions of token data into ops -------------------------===//
#include "TokenMajorBuilder.h"

#include "qopt/Support/WeightStore.h"

#include <algorithm>

using namespace mlir;

namespace qopt::qir::raise {

RankedTensorType TokenMajorBuilder::rowsType(int64_t width) {
  return RankedTensorType::get({ShapedType::kDynamic, width}, builder_.getF32Type());
}

Value TokenMajorBuilder::constantF32(Location loc, ArrayRef<float> values,
                                     ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, builder_.getF32Type());
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), values.size() * 4);
  return ConstantOp::create(builder_, loc, type, WeightStore::insertCopy(type, "row", bytes));
}

Value TokenMajorBuilder::constantI64(Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, builder_.getI64Type());
  return ConstantOp::create(builder_, loc, type, DenseElementsAttr::get(type, values));
}

Value TokenMajorBuilder::cloneConstant(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return {};
  Value &clone = constants_[value];
  if (!clone) {
    OpBuilder::InsertionGuard guard(builder_);
    clone = builder_.clone(*constant)->getResult(0);
  }
  return clone;
}

Operation *TokenMajorBuilder::cloneWith(Operation *op, ValueRange operands, Type type) {
  Operation *created = op->cloneWithoutRegions();
  created->setOperands(operands);
  created->getResult(0).setType(type);
  return builder_.insert(created);
}

bool TokenMajorBuilder::sameShape(Value a, Value b) const { return shapesOf(a) == shapesOf(b); }

Value TokenMajorBuilder::selectColumns(Location loc, Value base, ArrayRef<int64_t> columns) {
  int64_t width = cast<RankedTensorType>(base.getType()).getDimSize(1);
  SmallVector<Value> pieces;
  for (size_t i = 0; i < columns.size();) {
    size_t end = i + 1;
    while (end < columns.size() && columns[end] == columns[end - 1] + 1)
      ++end;
    int64_t start = columns[i], count = static_cast<int64_t>(end - i);
    if (start == 0 && count == width && columns.size() == end)
      return base;
    pieces.push_back(SliceOp::create(builder_, loc, rowsType(count), base,
                                     constantI64(loc, {start}), constantI64(loc, {start + count}),
                                     ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1}));
    i = end;
  }
  if (pieces.size() == 1)
    return pieces[0];
  return ConcatOp::create(builder_, loc, rowsType(columns.size()), pieces, 1);
}

FailureOr<Value> TokenMajorBuilder::materialize(Operation *op, const TokenValue &x,
                                                ArrayRef<int64_t> offsets) {
  if (!x.base)
    return fail(op, "takes ids or cached values as features");
  std::string key = std::to_string(reinterpret_cast<uintptr_t>(x.base.getAsOpaquePointer())) + ":" +
                    std::to_string(reinterpret_cast<uintptr_t>(x.map.get())) + ":" +
                    std::to_string(x.scale);
  for (int64_t offset : offsets)
    key += "," + std::to_string(offset);
  if (auto it = emitMemo_.find(key); it != emitMemo_.end())
    return it->second;

  FeatureMap wanted;
  wanted.rows.reserve(offsets.size());
  for (int64_t offset : offsets)
    wanted.rows.push_back(x.map ? x.map->rows[offset] : Row{Term{offset}});
  Location loc = op->getLoc();
  double scale = x.scale;
  Value value;
  double factor = 1;
  if (auto columns = wanted.selection(factor)) {
    value = selectColumns(loc, x.base, *columns);
    scale *= factor;
  } else {
    std::string why;
    std::optional<Rotation> rotation = fitRotation(wanted.rows, tables_, why);
    rotationFailed = !rotation;
    if (!rotation)
      return fail(op, "takes features that are no rotary embedding: " + why);
    value = selectColumns(loc, x.base, rotation->inputs);
    Value frequencies = constantF32(loc, rotation->inverseFrequencies,
                                    {static_cast<int64_t>(rotation->inverseFrequencies.size())});
    value = RopeOp::create(builder_, loc, rowsType(offsets.size()), value, positions_, frequencies,
                           rotation->headDim, rotation->interleaved ? 1 : 0,
                           llvm::APFloat(rotation->scaling));
  }
  if (scale != 1) {
    Value row = constantF32(loc, {static_cast<float>(scale)}, {});
    value = MulOp::create(builder_, loc, rowsType(offsets.size()), value, row);
  }
  emitMemo_[key] = value;
  return value;
}

namespace {
/// Walks the elements of an auxiliary tensor that belong to the features of a layout. `other` is
/// broadcast against the layout from the right.
struct Broadcast {
  const Layout &layout;
  llvm::SmallVector<int64_t, 5> strides; // of the auxiliary tensor, per layout dimension

  Broadcast(const Layout &layout, ArrayRef<int64_t> shape) : layout(layout) {
    strides.assign(layout.rank(), 0);
    int64_t stride = 1;
    for (size_t i = 0; i < shape.size(); ++i) {
      size_t dim = layout.rank() - 1 - i, from = shape.size() - 1 - i;
      strides[dim] = shape[from] == 1 ? 0 : stride;
      stride *= shape[from];
    }
  }

  /// Offset of batch 0, token 0 for every feature in row-major order.
  std::vector<int64_t> featureOffsets(const Sizing &sizing) const {
    std::vector<int64_t> result{0};
    for (size_t dim = 0; dim < layout.rank(); ++dim)
      forEachAtom(dim, sizing, [&](const Atom &atom, int64_t stride) {
        if (!atom.isFeature())
          return;
        std::vector<int64_t> next;
        next.reserve(result.size() * atom.size);
        for (int64_t base : result)
          for (int64_t i = 0; i < atom.size; ++i)
            next.push_back(base + i * stride);
        result = std::move(next);
      });
    return result;
  }

  int64_t strideOf(AtomKind kind, const Sizing &sizing) const {
    int64_t found = 0;
    for (size_t dim = 0; dim < layout.rank(); ++dim)
      forEachAtom(dim, sizing, [&](const Atom &atom, int64_t stride) {
        if (atom.kind == kind)
          found = stride;
      });
    return found;
  }

private:
  void forEachAtom(size_t dim, const Sizing &sizing,
                   llvm::function_ref<void(const Atom &, int64_t)> visit) const {
    int64_t inner = layout.sizeAt(dim, sizing);
    for (const Atom &atom : layout.dims[dim]) {
      int64_t size = atom.sizeAt(sizing);
      inner /= size ? size : 1;
      visit(atom, strides[dim] * inner);
    }
  }
};
} // namespace

/// Relative rounding of the values of a table. Half precision shows in the values themselves: what
/// was computed in f16 and cast to f32 is still exact in f16.
static double roundingOf(ArrayRef<float> values) {
  bool half = true, brain = true;
  for (float value : values) {
    llvm::APFloat f16(value), bf16(value);
    bool lossy = false;
    f16.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven, &lossy);
    half &= !lossy;
    bf16.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven, &lossy);
    brain &= !lossy;
  }
  return brain ? 1.0 / 256 : half ? 1.0 / 2048 : 1e-7;
}

FailureOr<std::vector<float>> TokenMajorBuilder::featureRow(const TokenValue &x, Value other) {
  const qrt::tensor::Tensor *first = runs_.data(0, other);
  if (!first || first->shape.size() > x.layout.rank())
    return failure();
  std::vector<float> row;
  for (size_t run = 0; run < runs_.numLayoutRuns(); ++run) {
    const qrt::tensor::Tensor *tensor = runs_.data(run, other);
    if (!tensor)
      return failure();
    const Sizing &sizing = runs_.runs()[run].sizing;
    Broadcast broadcast(x.layout, tensor->shape);
    for (AtomKind kind : {AtomKind::Batch, AtomKind::Fresh, AtomKind::Keys, AtomKind::Past})
      if (broadcast.strideOf(kind, sizing) != 0)
        return failure();
    std::vector<float> here;
    int64_t elements = 1;
    for (int64_t size : tensor->shape)
      elements *= size;
    if (elements == 1) {
      here.push_back(static_cast<float>(elementAt(*tensor, 0)));
    } else {
      for (int64_t offset : broadcast.featureOffsets(sizing))
        here.push_back(static_cast<float>(elementAt(*tensor, offset)));
    }
    if (run > 0 && here != row)
      return failure();
    row = std::move(here);
  }
  if (llvm::all_of(row, [&](float v) { return v == row[0]; }))
    row.resize(1);
  return row;
}

FailureOr<std::vector<int32_t>> TokenMajorBuilder::featureTables(Operation *op, const TokenValue &x,
                                                                 Value other) {
  std::vector<std::vector<int64_t>> offsets; // [run][feature]
  std::vector<std::pair<int64_t, int64_t>> strides;
  std::vector<const qrt::tensor::Tensor *> tensors;
  for (size_t run = 0; run < runs_.runs().size(); ++run) {
    const qrt::tensor::Tensor *tensor = runs_.data(run, other);
    if (!tensor || tensor->shape.size() > x.layout.rank())
      return fail(op, "combines token data with a table that could not be evaluated");
    const Sizing &sizing = runs_.runs()[run].sizing;
    Broadcast broadcast(x.layout, tensor->shape);
    offsets.push_back(broadcast.featureOffsets(sizing));
    strides.emplace_back(broadcast.strideOf(AtomKind::Batch, sizing),
                         broadcast.strideOf(AtomKind::Fresh, sizing));
    tensors.push_back(tensor);
  }
  std::vector<int32_t> result;
  std::string prefix = std::to_string(reinterpret_cast<uintptr_t>(other.getAsOpaquePointer())) +
                       ":" + std::to_string(strides[0].first) + ":" +
                       std::to_string(strides[0].second) + ":";
  for (size_t feature = 0; feature < offsets[0].size(); ++feature) {
    auto [it, inserted] = tableMemo_.try_emplace(prefix + std::to_string(offsets[0][feature]), -1);
    if (inserted) {
      std::vector<float> values;
      for (size_t run = 0; run < tensors.size(); ++run) {
        const Sizing &sizing = runs_.runs()[run].sizing;
        for (int64_t s = 0; s < sizing.fresh; ++s) {
          int64_t at = offsets[run][feature] + s * strides[run].second;
          float value = static_cast<float>(elementAt(*tensors[run], at));
          for (int64_t b = 1; b < sizing.batch; ++b)
            if (static_cast<float>(elementAt(*tensors[run], at + b * strides[run].first)) != value)
              return fail(op, "combines token data with a table that differs between sequences");
          values.push_back(value);
        }
      }
      double rounding = roundingOf(values);
      it->second = tables_.add(std::move(values), rounding);
    }
    result.push_back(it->second);
  }
  return result;
}

} // namespace qopt::qir::raise
