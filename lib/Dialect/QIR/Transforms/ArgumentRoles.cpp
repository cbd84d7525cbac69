//===- ArgumentRoles.cpp - What the inputs of a decoder graph carry ---------------------------===//
#include "ArgumentRoles.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace qopt::qir::raise {

ArgumentRole roleOf(func::FuncOp function, unsigned argument) {
  auto type = dyn_cast<RankedTensorType>(function.getArgument(argument).getType());
  auto attr = function.getArgAttrOfType<StringAttr>(argument, "qir.name");
  if (!type || !attr)
    return ArgumentRole::Unknown;
  std::string name = attr.getValue().lower();
  auto has = [&](StringRef word) { return StringRef(name).contains(word); };
  bool integers = isa<IntegerType>(type.getElementType());
  if (!integers)
    return type.getRank() >= 3 && (has("past") || has("cache") || has("key") || has("value"))
               ? ArgumentRole::PastState
               : ArgumentRole::Unknown;
  if (has("mask"))
    return ArgumentRole::Mask;
  if (has("past_seq") || has("past_len"))
    return ArgumentRole::PastLength;
  if (has("total_seq"))
    return ArgumentRole::TotalLength;
  if (has("position"))
    return ArgumentRole::Positions;
  if (has("token_type"))
    return ArgumentRole::Segments;
  if (has("ids") || has("tokens") || name == "input")
    return ArgumentRole::Ids;
  return ArgumentRole::Unknown;
}

std::pair<std::string, bool> cacheIdentity(StringRef name) {
  size_t first = name.find_first_of("0123456789");
  StringRef rest = first == StringRef::npos ? name : name.drop_front(first);
  std::string digits = rest.take_while([](char c) { return isdigit(c); }).str();
  StringRef tail = rest.drop_front(digits.size());
  // The kind stands behind the number, or before it in "value_cache.3".
  if (!tail.contains_insensitive("key") && !tail.contains_insensitive("value"))
    tail = name.take_front(first);
  return {digits, tail.contains_insensitive("value") && !tail.contains_insensitive("key_values")};
}

} // namespace qopt::qir::raise
