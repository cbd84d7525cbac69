//===- Npy.cpp - Arrays in NumPy's file format -----------------------------------------------===//
#include "Npy.h"

#include "Support/CheckedMath.h"

#include <charconv>
#include <cstring>

namespace qopt::calibration {

namespace {

/// The text behind `'key':` in the header's dictionary, up to the next comma outside brackets.
std::string_view entry(std::string_view header, std::string_view key) {
  std::string quoted = "'" + std::string(key) + "'";
  size_t at = header.find(quoted);
  if (at == std::string_view::npos)
    return {};
  at = header.find(':', at + quoted.size());
  if (at == std::string_view::npos)
    return {};
  std::string_view rest = header.substr(at + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  size_t end = rest.starts_with('(') ? rest.find(')') : rest.find_first_of(",}");
  return rest.substr(0, end);
}

bool parseShape(std::string_view text, std::vector<int64_t> &shape) {
  if (!text.starts_with('('))
    return false;
  text.remove_prefix(1);
  while (true) {
    size_t digit = text.find_first_not_of(", ");
    if (digit == std::string_view::npos)
      return shape.size() <= 3;
    text.remove_prefix(digit);
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < 0 || shape.size() == 3)
      return false;
    shape.push_back(value);
    text.remove_prefix(end - text.data());
  }
}

template <typename T>
void convert(const char *bytes, size_t count, std::vector<double> &out) {
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out.push_back(static_cast<double>(value));
  }
}

using Converter = void (*)(const char *, size_t, std::vector<double> &);

Converter converterOf(std::string_view type, size_t &size) {
  static constexpr struct {
    std::string_view name;
    size_t size;
    Converter convert;
  } types[] = {
      {"|b1", 1, convert<uint8_t>},  {"|u1", 1, convert<uint8_t>},  {"|i1", 1, convert<int8_t>},
      {"<u2", 2, convert<uint16_t>}, {"<i2", 2, convert<int16_t>},  {"<u4", 4, convert<uint32_t>},
      {"<i4", 4, convert<int32_t>},  {"<u8", 8, convert<uint64_t>}, {"<i8", 8, convert<int64_t>},
      {"<f4", 4, convert<float>},    {"<f8", 8, convert<double>}};
  for (const auto &known : types)
    if (known.name == type) {
      size = known.size;
      return known.convert;
    }
  return nullptr;
}

} // namespace

qrt::Result<NpyArray> parseNpy(std::string_view bytes, const std::string &what) {
  auto bad = [&](const std::string &why) {
    return qrt::Status::error(qrt::StatusCode::BadCalibration, what + ": " + why);
  };
  if (bytes.size() < 10 || !bytes.starts_with("\x93NUMPY"))
    return bad("is no .npy file");
  const auto version = static_cast<uint8_t>(bytes[6]);
  const size_t lengthBytes = version == 1 ? 2 : 4;
  if (version < 1 || version > 3 || bytes.size() < 8 + lengthBytes)
    return bad("has version " + std::to_string(version) + " of the .npy format, not 1 to 3");
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, lengthBytes);
  bytes.remove_prefix(8 + lengthBytes);
  if (length > bytes.size())
    return bad("ends inside its header");
  std::string_view header = bytes.substr(0, length);
  bytes.remove_prefix(length);

  NpyArray array;
  std::string_view descr = entry(header, "descr");
  if (descr.size() >= 2)
    array.type = descr.substr(1, descr.size() - 2);
  size_t size = 0;
  Converter convertAll = converterOf(array.type, size);
  if (!convertAll)
    return bad("has elements of type '" + array.type + "', expects little-endian numbers");
  if (!entry(header, "fortran_order").starts_with("False"))
    return bad("is in Fortran order, expects C order");
  if (!parseShape(entry(header, "shape"), array.shape))
    return bad("has a shape that is not understood, expects up to three dimensions");
  std::optional<int64_t> count = qrt::checkedProduct(array.shape);
  std::optional<int64_t> needed =
      count ? qrt::checkedMul<int64_t>(*count, static_cast<int64_t>(size)) : std::nullopt;
  if (!needed || static_cast<uint64_t>(*needed) != bytes.size())
    return bad("holds " + std::to_string(bytes.size()) +
               " bytes of elements, not those of its shape");
  array.values.reserve(*count);
  convertAll(bytes.data(), *count, array.values);
  return array;
}

} // namespace qopt::calibration
