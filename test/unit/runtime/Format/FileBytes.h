//===- FileBytes.h - Takes .qmod files apart and puts them together in tests -----------------===//
#ifndef QRT_TEST_FILEBYTES_H
#define QRT_TEST_FILEBYTES_H

#include "Format/Checksum.h"
#include "Format/Container.h"
#include "Format/ProgramEncoding.h"
#include "Support/MappedFile.h"

#include <cstring>
#include <memory>
#include <vector>

namespace qrt::test {

using Bytes = std::vector<uint8_t>;

inline Bytes readBytes(const std::string &path) {
  auto text = readFile(path);
  return Bytes(text->begin(), text->end());
}

template <class T>
T &at(Bytes &bytes, size_t offset) {
  return *reinterpret_cast<T *>(bytes.data() + offset);
}

inline SectionEntry *sectionOf(Bytes &bytes, SectionKind kind) {
  auto &header = at<FileHeader>(bytes, 0);
  for (uint32_t i = 0; i < header.sectionCount; ++i) {
    auto &entry = at<SectionEntry>(bytes, 64 + 64 * size_t(i));
    if (entry.kind == uint32_t(kind))
      return &entry;
  }
  return nullptr;
}

/// Makes all checksums right again, where the table can be found, so that later rules are reached.
inline void reseal(Bytes &bytes) {
  if (bytes.size() < 64)
    return;
  auto &header = at<FileHeader>(bytes, 0);
  size_t count = std::min<size_t>(header.sectionCount, (bytes.size() - 64) / 64);
  for (size_t i = 0; i < count; ++i) {
    auto &entry = at<SectionEntry>(bytes, 64 + 64 * i);
    if (entry.offset <= bytes.size() && entry.length <= bytes.size() - entry.offset)
      entry.checksum = Checksum::of({bytes.data() + entry.offset, size_t(entry.length)});
  }
  header.tableChecksum = Checksum::of({bytes.data() + 64, 64 * count});
  header.headerChecksum = Checksum::of({bytes.data(), 56});
}

/// The same file with another program.
inline Bytes withProgram(Bytes bytes, const Program &program) {
  Bytes encoded = *encodeProgram(program);
  SectionEntry *entry = sectionOf(bytes, SectionKind::Program);
  size_t offset = entry->offset; // the writer puts the program last
  entry->length = encoded.size();
  bytes.resize(offset);
  bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  at<FileHeader>(bytes, 0).fileSize = bytes.size();
  reseal(bytes);
  return bytes;
}

/// A 64-byte aligned copy, as Model::fromMemory wants it, exactly as long as the file.
class AlignedBytes {
public:
  explicit AlignedBytes(const Bytes &from)
      : size(from.size()), memory(static_cast<uint8_t *>(std::aligned_alloc(
                                      64, std::max<size_t>(64, (from.size() + 63) / 64 * 64))),
                                  &std::free) {
    if (size > 0)
      std::memcpy(memory.get(), from.data(), size);
  }
  std::span<const uint8_t> span() const { return {memory.get(), size}; }

private:
  size_t size;
  std::unique_ptr<uint8_t, void (*)(void *)> memory;
};

} // namespace qrt::test

#endif // QRT_TEST_FILEBYTES_H
