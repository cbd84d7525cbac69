//===- KernelWords.cpp - Words of attributes as enumerators of the kernels -------------------===//
#include "Engine/KernelWords.h"

#include <utility>

namespace qrt {

kernels::UnaryKind unaryKindFromWord(std::string_view word) {
  static const std::pair<std::string_view, kernels::UnaryKind> kinds[] = {
      {"gelu", kernels::UnaryKind::Gelu},
      {"gelu_tanh", kernels::UnaryKind::GeluTanh},
      {"quick_gelu", kernels::UnaryKind::QuickGelu},
      {"silu", kernels::UnaryKind::Silu},
      {"relu", kernels::UnaryKind::Relu},
      {"tanh", kernels::UnaryKind::Tanh},
      {"sigmoid", kernels::UnaryKind::Sigmoid},
      {"softcap", kernels::UnaryKind::Softcap}};
  for (const auto &[name, kind] : kinds)
    if (name == word)
      return kind;
  return kernels::UnaryKind::Relu;
}

kernels::BinaryKind binaryKindFromWord(std::string_view word) {
  return word == "add"   ? kernels::BinaryKind::Add
         : word == "sub" ? kernels::BinaryKind::Sub
         : word == "mul" ? kernels::BinaryKind::Mul
                         : kernels::BinaryKind::Div;
}

} // namespace qrt
