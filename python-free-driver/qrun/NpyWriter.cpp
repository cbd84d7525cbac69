//===- NpyWriter.cpp - Writes float32 arrays as .npy files -----------------------------------===//
#include "NpyWriter.h"

#include "Support/CheckedMath.h"

#include <bit>

namespace qrt {

static_assert(std::endian::native == std::endian::little, "floats are written as they lie");

static std::string npyHeader(std::span<const int64_t> shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int64_t dim : shape)
    text += std::to_string(dim) + ",";
  text += "), }";
  // Magic, version, length (10 bytes), text and a newline together are a multiple of 64.
  size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.resize(total - 10 - 1, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

Result<NpyWriter> NpyWriter::create(const std::string &path, std::span<const int64_t> shape) {
  auto elements = checkedProduct(shape);
  if (!elements || *elements > int64_t(1) << 58)
    return invalidArgument(path + ": an array of more than 2^58 elements");
  const uint64_t bytes = static_cast<uint64_t>(*elements) * sizeof(float);
  QRT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  std::string header = npyHeader(shape);
  QRT_RETURN_IF_ERROR(file.write(header.data(), header.size()));
  QRT_RETURN_IF_ERROR(file.reserve(header.size() + bytes));
  return NpyWriter(std::move(file), header.size());
}

Status NpyWriter::writeAt(int64_t first, std::span<const float> values) {
  return file.rewrite(dataOffset + static_cast<uint64_t>(first) * sizeof(float), values.data(),
                      values.size_bytes());
}

Status NpyWriter::commit() { return file.commit(); }

} // namespace qrt
