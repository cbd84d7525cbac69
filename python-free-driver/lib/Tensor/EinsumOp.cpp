//===- EinsumOp.cpp - einsum as a chain of products -------------------------------------------===//
// Operands are contracted from left to right. Of two operands every label is one of four kinds, and
// each kind is flattened into one list of offsets (Products.h):
//
//   stacked  in both and kept        one product each
//   rows     kept, in the left only
//   columns  kept, in the right only
//   steps    not kept: summed        (an operand that lacks the label does not move along it)
//
// "..." stands for labels of its own, counted from the end and broadcast as in numpy. What lies
// between two contractions is kept in f64.
#include "Tensor/MatrixOps.h"
#include "Tensor/Products.h"

#include <algorithm>
#include <map>
#include <utility>

namespace qrt::tensor {
namespace {

/// Letters as they are, dimension i from the end of "..." as -1 - i.
using Label = int;
using Labels = std::vector<Label>;

constexpr int64_t maxOffsets = int64_t(1) << 28;

struct Equation {
  std::vector<Labels> terms;
  Labels result;
};

bool contains(const Labels &labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// Labels of one term for a tensor of `rank` dimensions, or, of the result, `dots` broadcast ones.
Result<Labels> parseTerm(std::string_view text, std::optional<size_t> rank, size_t &dots) {
  Labels labels;
  size_t letters = 0;
  for (char c : text)
    letters += std::isalpha(static_cast<unsigned char>(c)) ? 1 : 0;
  bool hasDots = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(text[i]))) {
      labels.push_back(text[i]);
    } else if (text.substr(i, 3) == "..." && !hasDots) {
      if (rank && *rank < letters)
        break;
      const size_t count = rank ? *rank - letters : dots;
      dots = std::max(dots, count);
      for (size_t d = count; d > 0; --d)
        labels.push_back(-static_cast<Label>(d));
      hasDots = true;
      i += 2;
    } else {
      return invalidArgument("the equation has a term '" + std::string(text) + "'");
    }
  }
  if (rank && labels.size() != *rank)
    return invalidArgument("the term '" + std::string(text) + "' does not fit an operand of rank " +
                           std::to_string(*rank));
  return labels;
}

Result<Equation> parseEquation(std::string text, Operands operands) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t arrow = text.find("->");
  if (arrow == std::string::npos)
    return invalidArgument("the equation '" + text + "' has no result term");
  Equation equation;
  size_t dots = 0;
  std::string_view terms = std::string_view(text).substr(0, arrow);
  for (size_t i = 0;; ++i) {
    const size_t comma = terms.find(',');
    const bool last = comma == std::string_view::npos;
    if (i >= operands.size() || (last && i + 1 != operands.size()))
      return invalidArgument("the equation '" + text + "' is not one of " +
                             std::to_string(operands.size()) + " operands");
    QRT_ASSIGN_OR_RETURN(Labels labels,
                         parseTerm(terms.substr(0, comma), operands[i]->shape.size(), dots));
    equation.terms.push_back(std::move(labels));
    if (last)
      break;
    terms.remove_prefix(comma + 1);
  }
  QRT_ASSIGN_OR_RETURN(equation.result,
                       parseTerm(std::string_view(text).substr(arrow + 2), std::nullopt, dots));
  for (size_t i = 0; i < equation.result.size(); ++i)
    if (std::count(equation.result.begin(), equation.result.end(), equation.result[i]) > 1)
      return invalidArgument("the equation '" + text + "' repeats a label of its result");
  return equation;
}

class Sizes {
public:
  Status add(const Labels &labels, const Shape &shape) {
    for (size_t i = 0; i < labels.size(); ++i) {
      int64_t &size = sizes.try_emplace(labels[i], 1).first->second;
      if (size == 1)
        size = shape[i];
      else if (shape[i] != size && shape[i] != 1)
        return invalidArgument("dimensions " + std::to_string(size) + " and " +
                               std::to_string(shape[i]) + " have one label");
    }
    return Status::ok();
  }
  bool knows(Label label) const { return sizes.contains(label); }
  int64_t operator[](Label label) const { return sizes.at(label); }

private:
  std::map<Label, int64_t> sizes;
};

struct Term {
  Tensor tensor;
  Labels labels;

  /// Elements from one value of the label to the next; a repeated label walks the diagonal.
  int64_t stride(Label label) const {
    const std::vector<int64_t> strides = stridesOf(tensor.shape);
    int64_t sum = 0;
    for (size_t i = 0; i < labels.size(); ++i)
      if (labels[i] == label && tensor.shape[i] != 1)
        sum += strides[i];
    return sum;
  }
  /// The offset of every combination of the labels' values, the last one fastest.
  std::vector<int64_t> offsetsOf(const Labels &over, const Sizes &sizes) const {
    std::vector<int64_t> result{0};
    for (Label label : over) {
      std::vector<int64_t> next;
      const int64_t step = stride(label);
      next.reserve(result.size() * static_cast<size_t>(sizes[label]));
      for (int64_t base : result)
        for (int64_t i = 0; i < sizes[label]; ++i)
          next.push_back(base + i * step);
      result = std::move(next);
    }
    return result;
  }
};

Shape shapeOf(const Labels &labels, const Sizes &sizes) {
  Shape shape;
  for (Label label : labels)
    shape.push_back(sizes[label]);
  return shape;
}

/// One contraction: a and b, keeping `kept`.
Result<Term> contract(const Term &a, const Term &b, const Labels &kept, const Sizes &sizes,
                      DType dtype) {
  Labels stacked, rows, columns, steps;
  for (Label label : kept) {
    const bool left = contains(a.labels, label), right = contains(b.labels, label);
    (left && right ? stacked : left ? rows : columns).push_back(label);
  }
  for (const Labels *labels : {&a.labels, &b.labels})
    for (Label label : *labels)
      if (!contains(kept, label) && !contains(steps, label))
        steps.push_back(label);
  for (const Labels *labels : {&stacked, &rows, &columns, &steps}) {
    int64_t count = 1;
    for (Label label : *labels)
      if (__builtin_mul_overflow(count, sizes[label], &count) || count > maxOffsets)
        return resourceExhausted("more than 2^28 combinations of labels in one contraction");
  }
  Term result{Tensor(), kept};
  QRT_ASSIGN_OR_RETURN(FreshTensor fresh, makeTensor(dtype, shapeOf(kept, sizes)));
  result.tensor = fresh.tensor;
  Product product;
  product.dtype = dtype;
  product.data = fresh.data;
  product.a = {&a.tensor, 0, a.offsetsOf(rows, sizes), a.offsetsOf(steps, sizes), {}};
  product.b = {&b.tensor, 0, b.offsetsOf(columns, sizes), b.offsetsOf(steps, sizes), {}};
  product.rows = result.offsetsOf(rows, sizes);
  product.columns = result.offsetsOf(columns, sizes);
  const std::vector<int64_t> baseA = a.offsetsOf(stacked, sizes),
                             baseB = b.offsetsOf(stacked, sizes);
  const std::vector<int64_t> baseY = result.offsetsOf(stacked, sizes);
  for (size_t i = 0; i < baseY.size(); ++i) {
    product.a.base = baseA[i];
    product.b.base = baseB[i];
    product.base = baseY[i];
    multiply(product);
  }
  return result;
}

/// A scalar 1, the partner of a single operand.
Result<Term> one(DType dtype) {
  QRT_ASSIGN_OR_RETURN(Tensor tensor, pack(dtype, {}, std::vector<int64_t>{1}));
  return Term{std::move(tensor), {}};
}

} // namespace

Result<std::vector<Tensor>> evaluateEinsum(const OpCall &call, Operands operands) {
  const DType dtype = operands[0] ? operands[0]->dtype : DType::F32;
  for (const Tensor *operand : operands)
    if (!operand || operand->dtype != dtype || dtype == DType::Bool)
      return badOperands(operands, "expects numbers of one type");
  QRT_ASSIGN_OR_RETURN(const std::string text, stringAttr(call, "equation", ""));
  QRT_ASSIGN_OR_RETURN(const Equation equation, parseEquation(text, operands));
  Sizes sizes;
  for (size_t i = 0; i < operands.size(); ++i)
    QRT_RETURN_IF_ERROR(sizes.add(equation.terms[i], operands[i]->shape));
  for (Label label : equation.result)
    if (!sizes.knows(label))
      return invalidArgument("the equation '" + text + "' has a result label that no term has");
  if (anyAbstract(operands)) {
    QRT_ASSIGN_OR_RETURN(Tensor shape, abstractTensor(dtype, shapeOf(equation.result, sizes)));
    return std::vector<Tensor>{std::move(shape)};
  }

  QRT_ASSIGN_OR_RETURN(Term left, one(dtype));
  if (operands.size() > 1)
    left = Term{*operands[0], equation.terms[0]};
  for (size_t i = operands.size() > 1 ? 1 : 0; i < operands.size(); ++i) {
    const bool last = i + 1 == operands.size();
    const Term right{*operands[i], equation.terms[i]};
    Labels kept = equation.result;
    if (!last) { // what the result or a later operand needs
      kept.clear();
      for (const Labels *labels : {&std::as_const(left).labels, &right.labels})
        for (Label label : *labels) {
          bool needed = contains(equation.result, label);
          for (size_t later = i + 1; later < operands.size(); ++later)
            needed |= contains(equation.terms[later], label);
          if (needed && !contains(kept, label))
            kept.push_back(label);
        }
    }
    const DType between = isFloat(dtype) ? DType::F64 : dtype;
    QRT_ASSIGN_OR_RETURN(left, contract(left, right, kept, sizes, last ? dtype : between));
  }
  return std::vector<Tensor>{left.tensor};
}

} // namespace qrt::tensor
