//===- Container.cpp - Header and section table of a .qmod file ------------------------------===//
#include "Format/Container.h"

#include "Format/Checksum.h"
#include "Support/CheckedMath.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace qrt {

Status ruleError(const char *rule, const std::string &message) {
  return invalidModel(std::string(rule) + ": " + message);
}

static std::span<const uint8_t> bytesOf(const void *data, size_t size) {
  return {static_cast<const uint8_t *>(data), size};
}

static std::string describe(const SectionEntry &section) {
  const char *known = sectionName(static_cast<SectionKind>(section.kind));
  return std::string("section ") + known + " (kind " + std::to_string(section.kind) + ")";
}

static Status verifyHeader(const FileHeader &header, uint64_t actualSize) {
  if (std::memcmp(header.magic, qmodMagic, sizeof qmodMagic) != 0)
    return ruleError("R1 magic", "not a .qmod file");
  if (header.major != qmodMajor)
    return ruleError("R2 version", "format version " + std::to_string(header.major) + "." +
                                       std::to_string(header.minor) + ", this build reads " +
                                       std::to_string(qmodMajor) + ".x");
  if (header.headerChecksum != Checksum::of(bytesOf(&header, offsetof(FileHeader, headerChecksum))))
    return ruleError("R3 header", "checksum of the header does not match");
  if (header.headerSize != sizeof(FileHeader) || header.reserved0 || header.reserved1[0] ||
      header.reserved1[1])
    return ruleError("R3 header", "unexpected header size or reserved field");
  if (header.fileSize != actualSize)
    return ruleError("R4 file-size", "the header says " + std::to_string(header.fileSize) +
                                         " bytes, the file has " + std::to_string(actualSize));
  return Status::ok();
}

static Status verifySections(const std::vector<SectionEntry> &table, uint64_t fileSize) {
  bool hasProgram = false, hasWeights = false;
  for (size_t i = 0; i < table.size(); ++i) {
    const SectionEntry &section = table[i];
    if (section.offset % sectionAlignment != 0 || section.offset < sectionAlignment)
      return ruleError("R6 section-bounds", describe(section) + " starts at " +
                                                std::to_string(section.offset) +
                                                ", not at a multiple of 4096");
    if (!fitsInside(section.offset, section.length, fileSize))
      return ruleError("R6 section-bounds", describe(section) + " ends outside the file");
    hasProgram |= section.kind == uint32_t(SectionKind::Program);
    hasWeights |= section.kind == uint32_t(SectionKind::Weights);
    for (size_t j = 0; j < i; ++j) {
      const SectionEntry &other = table[j];
      if (section.offset < other.offset + other.length &&
          other.offset < section.offset + section.length)
        return ruleError("R7 section-overlap", describe(section) + " and " + describe(other));
      bool known = section.kind >= 1 && section.kind <= uint32_t(SectionKind::Markers);
      if (known && section.kind == other.kind)
        return ruleError("R8 sections", describe(section) + " occurs twice");
    }
  }
  if (!hasProgram || !hasWeights)
    return ruleError("R8 sections", hasProgram ? "no weights section" : "no program section");
  return Status::ok();
}

Result<std::vector<SectionEntry>> readSectionTable(std::span<const uint8_t> file) {
  FileHeader header;
  if (file.size() < sizeof header) {
    // Tell a cut-off file from something else entirely.
    size_t common = std::min(file.size(), sizeof qmodMagic);
    if (common == 0 || std::memcmp(file.data(), qmodMagic, common) != 0)
      return ruleError("R1 magic", "not a .qmod file");
    return ruleError("R4 file-size",
                     "the file ends inside the header (" + std::to_string(file.size()) + " bytes)");
  }
  std::memcpy(&header, file.data(), sizeof header);
  QRT_RETURN_IF_ERROR(verifyHeader(header, file.size()));
  if (header.sectionCount > maxSections)
    return ruleError("R5 section-table",
                     std::to_string(header.sectionCount) + " sections, more than 63");
  uint64_t tableBytes = uint64_t(header.sectionCount) * sizeof(SectionEntry);
  if (!fitsInside(sizeof header, tableBytes, file.size()))
    return ruleError("R5 section-table", "the file ends inside the section table");
  if (Checksum::of(file.subspan(sizeof header, tableBytes)) != header.tableChecksum)
    return ruleError("R5 section-table", "checksum of the section table does not match");
  std::vector<SectionEntry> table(header.sectionCount);
  if (!table.empty())
    std::memcpy(table.data(), file.data() + sizeof header, tableBytes);
  QRT_RETURN_IF_ERROR(verifySections(table, file.size()));
  return table;
}

Status verifyChecksum(std::span<const uint8_t> file, const SectionEntry &section) {
  if (Checksum::of(file.subspan(section.offset, section.length)) != section.checksum)
    return ruleError("R9 section-checksum", describe(section) + " is damaged");
  return Status::ok();
}

FileHeader makeHeader(std::span<const SectionEntry> table, uint64_t fileSize) {
  FileHeader header = {};
  std::memcpy(header.magic, qmodMagic, sizeof qmodMagic);
  header.major = qmodMajor;
  header.minor = qmodMinor;
  header.headerSize = sizeof header;
  header.fileSize = fileSize;
  header.sectionCount = static_cast<uint32_t>(table.size());
  header.tableChecksum = Checksum::of(bytesOf(table.data(), table.size_bytes()));
  header.headerChecksum = Checksum::of(bytesOf(&header, offsetof(FileHeader, headerChecksum)));
  return header;
}

} // namespace qrt
