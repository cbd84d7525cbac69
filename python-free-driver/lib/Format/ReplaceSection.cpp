//===- ReplaceSection.cpp - Copies a .qmod file with another text section --------------------===//
#include "Format/ReplaceSection.h"

#include "Format/Checksum.h"
#include "Format/Container.h"
#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"

#include <algorithm>
#include <cstring>

namespace qrt {

Status replaceSection(const std::string &from, const std::string &to, SectionKind kind,
                      std::string_view bytes) {
  if (kind == SectionKind::Program || kind == SectionKind::Weights)
    return invalidArgument(std::string("section ") + sectionName(kind) + " cannot be replaced");
  QRT_ASSIGN_OR_RETURN(MappedFile source, MappedFile::open(from));
  auto read = readSectionTable(source.bytes());
  if (!read)
    return read.status().withContext(from);
  std::vector<SectionEntry> table = read.takeValue();
  for (const SectionEntry &entry : table)
    if (Status damaged = verifyChecksum(source.bytes(), entry); !damaged)
      return damaged.withContext(from);
  std::erase_if(table, [&](const SectionEntry &entry) { return entry.kind == uint32_t(kind); });
  std::stable_sort(table.begin(), table.end(),
                   [](const auto &a, const auto &b) { return a.offset < b.offset; });
  if (!bytes.empty() && table.size() >= maxSections)
    return unsupported(from + ": no room for a further section");

  QRT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(to));
  const uint8_t header[sizeof(FileHeader)] = {};
  QRT_RETURN_IF_ERROR(file.write(header, sizeof header));
  auto add = [&](SectionEntry &entry, const void *data) {
    QRT_RETURN_IF_ERROR(file.padTo(sectionAlignment));
    entry.offset = file.position();
    return file.write(data, size_t(entry.length));
  };
  for (SectionEntry &entry : table)
    QRT_RETURN_IF_ERROR(add(entry, source.bytes().data() + entry.offset));
  if (!bytes.empty()) {
    SectionEntry entry = {};
    entry.kind = uint32_t(kind);
    entry.length = bytes.size();
    entry.checksum = Checksum::of({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
    std::strncpy(entry.name, sectionName(kind), sizeof entry.name - 1);
    QRT_RETURN_IF_ERROR(add(entry, bytes.data()));
    table.push_back(entry);
  }
  const FileHeader finished = makeHeader(table, file.position());
  QRT_RETURN_IF_ERROR(
      file.rewrite(sizeof finished, table.data(), table.size() * sizeof(SectionEntry)));
  QRT_RETURN_IF_ERROR(file.rewrite(0, &finished, sizeof finished));
  return file.commit();
}

} // namespace qrt
