//===- TokenLayout.cpp - Regrouping the factors of a layout -----------------------------------===//
#include "TokenLayout.h"

#include "llvm/ADT/STLExtras.h"

#include <deque>

namespace qopt::qir::raise {

int64_t Atom::sizeAt(const Sizing &sizing) const {
  switch (kind) {
  case AtomKind::Batch:
    return sizing.batch;
  case AtomKind::Fresh:
    return sizing.fresh;
  case AtomKind::Past:
    return sizing.past;
  case AtomKind::Keys:
    return sizing.past + sizing.fresh;
  case AtomKind::Feature:
    return size;
  }
  return size;
}

int64_t Layout::sizeAt(size_t dim, const Sizing &sizing) const {
  int64_t product = 1;
  for (const Atom &atom : dims[dim])
    product *= atom.sizeAt(sizing);
  return product;
}

bool Layout::hasShape(llvm::ArrayRef<int64_t> shape, const Sizing &sizing) const {
  if (shape.size() != rank())
    return false;
  for (size_t dim = 0; dim < rank(); ++dim)
    if (sizeAt(dim, sizing) != shape[dim])
      return false;
  return true;
}

int64_t Layout::featureSize(size_t dim) const {
  int64_t product = 1;
  for (const Atom &atom : dims[dim])
    product *= atom.isFeature() ? atom.size : 1;
  return product;
}

bool Layout::onlyFeatures(size_t dim) const {
  return llvm::all_of(dims[dim], [](const Atom &atom) { return atom.isFeature(); });
}

bool Layout::isExactly(size_t dim, AtomKind kind) const {
  return dims[dim].size() == 1 && dims[dim][0].kind == kind;
}

static void appendOffsets(llvm::ArrayRef<Atom> atoms, std::vector<int64_t> &offsets) {
  for (const Atom &atom : atoms) {
    if (!atom.isFeature())
      continue;
    std::vector<int64_t> next;
    next.reserve(offsets.size() * atom.size);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < atom.size; ++i)
        next.push_back(offset + i * atom.stride);
    offsets = std::move(next);
  }
}

std::vector<int64_t> Layout::offsets(size_t dim) const {
  std::vector<int64_t> result{0};
  appendOffsets(dims[dim], result);
  return result;
}

std::vector<int64_t> Layout::offsets() const {
  std::vector<int64_t> result{0};
  for (const DimAtoms &atoms : dims)
    appendOffsets(atoms, result);
  return result;
}

void Layout::normalize() {
  for (DimAtoms &atoms : dims) {
    DimAtoms merged;
    for (const Atom &atom : atoms) {
      if (atom.isFeature() && atom.size == 1)
        continue;
      if (atom.isFeature() && !merged.empty() && merged.back().isFeature() &&
          merged.back().stride == atom.size * atom.stride) {
        merged.back().size *= atom.size;
        merged.back().stride = atom.stride;
        continue;
      }
      merged.push_back(atom);
    }
    atoms = std::move(merged);
  }
}

void Layout::renumber() {
  int64_t stride = 1;
  for (DimAtoms &atoms : llvm::reverse(dims))
    for (Atom &atom : llvm::reverse(atoms))
      if (atom.isFeature() && atom.stride != 0) {
        atom.stride = stride;
        stride *= atom.size;
      }
}

std::string Layout::key() const {
  std::string text;
  for (const DimAtoms &atoms : dims) {
    for (const Atom &atom : atoms)
      text += std::to_string(static_cast<int>(atom.kind)) + "x" + std::to_string(atom.size) + "s" +
              std::to_string(atom.stride) + ",";
    text += "|";
  }
  return text;
}

std::optional<Layout> reshapeLayout(const Layout &layout, llvm::ArrayRef<Sizing> sizings,
                                    llvm::ArrayRef<Shape> shapes) {
  std::deque<Atom> atoms;
  for (const DimAtoms &dim : layout.dims)
    atoms.insert(atoms.end(), dim.begin(), dim.end());
  Layout result;
  for (size_t dim = 0; dim < shapes[0].size(); ++dim) {
    DimAtoms taken;
    llvm::SmallVector<int64_t, 4> left; // what the taken atoms must still multiply to
    for (const Shape &shape : shapes)
      left.push_back(shape[dim]);
    while (llvm::any_of(left, [](int64_t n) { return n != 1; })) {
      if (atoms.empty())
        return std::nullopt;
      Atom atom = atoms.front();
      atoms.pop_front();
      // A run of features that is longer than what is wanted is cut in two.
      if (atom.isFeature() && llvm::all_equal(left) && left[0] > 0 && left[0] < atom.size &&
          atom.size % left[0] == 0) {
        int64_t inner = atom.size / left[0];
        atoms.push_front(Atom::feature(inner, atom.stride));
        atom = Atom::feature(left[0], atom.stride * inner);
      }
      for (size_t i = 0; i < sizings.size(); ++i) {
        int64_t size = atom.sizeAt(sizings[i]);
        if (size <= 0 || left[i] % size != 0)
          return std::nullopt;
        left[i] /= size;
      }
      taken.push_back(atom);
    }
    result.dims.push_back(std::move(taken));
  }
  if (llvm::any_of(atoms, [](const Atom &atom) { return !atom.isFeature() || atom.size != 1; }))
    return std::nullopt;
  result.normalize();
  return result;
}

std::optional<Layout> expandLayout(const Layout &layout, llvm::ArrayRef<Sizing> sizings,
                                   llvm::ArrayRef<Shape> shapes) {
  size_t rank = shapes[0].size();
  if (rank < layout.rank())
    return std::nullopt;
  Layout result;
  result.dims.resize(rank - layout.rank());
  result.dims.append(layout.dims.begin(), layout.dims.end());
  for (size_t dim = 0; dim < rank; ++dim) {
    bool same = true, constant = true;
    for (size_t i = 0; i < sizings.size(); ++i) {
      same &= result.sizeAt(dim, sizings[i]) == shapes[i][dim];
      constant &= shapes[i][dim] == shapes[0][dim];
    }
    if (same)
      continue;
    if (!result.dims[dim].empty() || !constant)
      return std::nullopt;
    result.dims[dim].push_back(Atom::feature(shapes[0][dim], 0));
  }
  return result;
}

} // namespace qopt::qir::raise
