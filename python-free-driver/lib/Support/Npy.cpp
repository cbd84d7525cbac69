//===- Npy.cpp - Arrays of small integers from .npy files -------------------------------------===//
#include "Support/Npy.h"

#include "Support/MappedFile.h"

#include <cstring>
#include <optional>
#include <string_view>

namespace qrt {
namespace {

/// The text behind 'key': in the header's Python dictionary.
std::optional<std::string_view> valueOf(std::string_view header, std::string_view key) {
  size_t at = header.find(key);
  if (at == std::string_view::npos || (at = header.find(':', at)) == std::string_view::npos)
    return std::nullopt;
  std::string_view value = header.substr(at + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

/// "(12, 34)", "(12,)": at most two positive sizes below 2^40.
std::optional<std::vector<int64_t>> parseShape(std::string_view text) {
  if (!text.starts_with('('))
    return std::nullopt;
  std::vector<int64_t> shape;
  int64_t number = -1;
  for (char c : text.substr(1)) {
    if (c >= '0' && c <= '9') {
      number = (number < 0 ? 0 : number) * 10 + (c - '0');
      if (number > (int64_t(1) << 40))
        return std::nullopt;
    } else if (c == ',' || c == ')') {
      if (number >= 0)
        shape.push_back(number);
      number = -1;
      if (c == ')')
        return shape;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

template <class T>
bool convert(const uint8_t *bytes, std::vector<int32_t> &out) {
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    if (int64_t(value) < INT32_MIN || int64_t(value) > INT32_MAX)
      return false;
    out[i] = int32_t(value);
  }
  return true;
}

} // namespace

Result<IntMatrix> readNpyIntegers(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  std::span<const uint8_t> bytes = file.bytes();
  auto bad = [&](const std::string &why) { return invalidArgument(path + ": " + why); };
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    return bad("not a .npy file");
  const int version = bytes[6];
  if (version < 1 || version > 3)
    return bad(".npy version " + std::to_string(version) + " is not supported");
  size_t headerBytes = bytes[8] | size_t(bytes[9]) << 8, start = 10;
  if (version > 1) {
    headerBytes |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
    start = 12;
  }
  if (headerBytes > bytes.size() - start)
    return bad("the header is longer than the file");
  std::string_view header(reinterpret_cast<const char *>(bytes.data()) + start, headerBytes);
  auto descr = valueOf(header, "'descr'"), order = valueOf(header, "'fortran_order'"),
       shapeText = valueOf(header, "'shape'");
  auto shape = shapeText ? parseShape(*shapeText) : std::nullopt;
  if (!descr || !order || !shape)
    return bad("the header is not understood");
  if (!order->starts_with("False"))
    return bad("Fortran order is not supported");
  if (shape->empty() || shape->size() > 2)
    return bad("the array must have one or two dimensions");
  IntMatrix out;
  out.rows = shape->size() == 2 ? (*shape)[0] : 1;
  out.columns = shape->back();
  const std::string_view type = descr->substr(1, 3);
  int64_t size = type == "<i4" ? 4 : type == "<i8" ? 8 : 0;
  if (type == "|b1" || type == "|u1" || type == "|i1")
    size = 1;
  if (size == 0)
    return bad("elements must be int32, int64, int8, uint8 or bool");
  const uint64_t available = bytes.size() - start - headerBytes;
  if (out.columns > 0 && uint64_t(out.rows) > available / uint64_t(size) / uint64_t(out.columns))
    return bad("the file is shorter than its shape says");
  out.values.resize(size_t(out.rows * out.columns));
  const uint8_t *data = bytes.data() + start + headerBytes;
  bool fits = size == 4       ? convert<int32_t>(data, out.values)
              : size == 8     ? convert<int64_t>(data, out.values)
              : type == "|i1" ? convert<int8_t>(data, out.values)
                              : convert<uint8_t>(data, out.values);
  if (!fits)
    return bad("a value does not fit into 32 bits");
  return out;
}

} // namespace qrt
