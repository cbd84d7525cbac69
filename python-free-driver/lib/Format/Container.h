//===- Container.h - Header and section table of a .qmod file --------------------------------===//
// Byte layout, little endian, and the rules R1 to R9 of docs/qmod-format.md.
// Thread safety: free functions without state.
#ifndef QRT_FORMAT_CONTAINER_H
#define QRT_FORMAT_CONTAINER_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qrt {

inline constexpr uint8_t qmodMagic[8] = {'Q', 'M', 'O', 'D', '\r', '\n', 0x1a, '\n'};
inline constexpr uint16_t qmodMajor = 1, qmodMinor = 2;
inline constexpr uint64_t sectionAlignment = 4096;
inline constexpr uint64_t tensorAlignment = 64;
/// Header and table fit into the first 4096 bytes.
inline constexpr uint32_t maxSections = 63;

struct FileHeader {
  uint8_t magic[8];
  uint16_t major, minor;
  uint32_t headerSize; // 64
  uint64_t fileSize;
  uint32_t sectionCount;
  uint32_t reserved0;      // 0
  uint64_t tableChecksum;  // XXH64 of the section table
  uint64_t reserved1[2];   // 0
  uint64_t headerChecksum; // XXH64 of the 56 bytes before
};
static_assert(sizeof(FileHeader) == 64);

struct SectionEntry {
  uint32_t kind;
  uint32_t flags; // 0
  uint64_t offset, length;
  uint64_t checksum; // XXH64 of the section
  char name[24];     // for people, zero padded
  uint64_t reserved; // 0
};
static_assert(sizeof(SectionEntry) == 64);

/// Error of a violated rule: "R6 section-bounds: ...", code InvalidModel.
Status ruleError(const char *rule, const std::string &message);

/// Checks R1 to R8 and returns the table. `actualSize` is the size of the file.
Result<std::vector<SectionEntry>> readSectionTable(std::span<const uint8_t> file);

/// R9 for one section.
Status verifyChecksum(std::span<const uint8_t> file, const SectionEntry &section);

/// Fills the checksums of header and table; entries must be complete.
FileHeader makeHeader(std::span<const SectionEntry> table, uint64_t fileSize);

} // namespace qrt

#endif // QRT_FORMAT_CONTAINER_H
