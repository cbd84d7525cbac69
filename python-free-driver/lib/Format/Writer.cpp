//===- Writer.cpp - Writes a .qmod file ------------------------------------------------------===//
#include "Format/Writer.h"

#include "Format/Container.h"
#include "Format/ProgramEncoding.h"
#include "Format/Verifier.h"

#include <cstring>
#include <utility>

namespace qrt {

Result<QmodWriter> QmodWriter::create(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  QmodWriter writer(std::move(file));
  // Room for header and table; the weights follow at once, since they are streamed.
  uint8_t header[sizeof(FileHeader)] = {};
  QRT_RETURN_IF_ERROR(writer.file.write(header, sizeof header));
  QRT_RETURN_IF_ERROR(writer.file.padTo(sectionAlignment));
  return writer;
}

Status QmodWriter::append(const void *data, size_t size) {
  QRT_RETURN_IF_ERROR(file.write(data, size));
  weightsChecksum.update(data, size);
  weightsBytes += size;
  return Status::ok();
}

Status QmodWriter::appendStream(const void *data, uint64_t size, uint64_t &offset,
                                uint64_t &bytes) {
  static const uint8_t zeros[tensorAlignment] = {};
  offset = bytes = 0;
  if (size == 0)
    return Status::ok();
  QRT_RETURN_IF_ERROR(
      append(zeros, (tensorAlignment - weightsBytes % tensorAlignment) % tensorAlignment));
  offset = weightsBytes;
  bytes = size;
  return append(data, size);
}

Result<int32_t> QmodWriter::addTensor(TensorEntry entry, const void *data, const void *scales,
                                      const void *zeroPoints) {
  if (entry.packed && entry.shape.size() == 2) {
    entry.weight.n = entry.shape[0];
    entry.weight.k = entry.shape[1];
  }
  auto sizes = tensorStreams(entry);
  if (!sizes)
    return invalidArgument(sizes.status().message());
  const std::string what = "tensor '" + entry.name + "': ";
  if ((sizes->data > 0 && !data) || (sizes->scales > 0) != (scales != nullptr) ||
      (sizes->zeroPoints > 0) != (zeroPoints != nullptr))
    return invalidArgument(what + "data, scales or zero points missing or not expected");
  if (tensors.size() >= maxProgramItems)
    return unsupported(what + "more tensors than the format allows");
  QRT_RETURN_IF_ERROR(appendStream(data, sizes->data, entry.dataOffset, entry.dataBytes));
  QRT_RETURN_IF_ERROR(appendStream(scales, sizes->scales, entry.scalesOffset, entry.scalesBytes));
  QRT_RETURN_IF_ERROR(
      appendStream(zeroPoints, sizes->zeroPoints, entry.zeroPointsOffset, entry.zeroPointsBytes));
  tensors.push_back(std::move(entry));
  return static_cast<int32_t>(tensors.size() - 1);
}

Status QmodWriter::addSection(SectionKind kind, std::string_view bytes) {
  if (kind == SectionKind::Program || kind == SectionKind::Weights)
    return invalidArgument(std::string("section ") + sectionName(kind) +
                           " is written by the writer itself");
  for (const Extra &extra : extras)
    if (extra.kind == kind)
      return invalidArgument(std::string("section ") + sectionName(kind) + " added twice");
  extras.push_back({kind, std::string(bytes)});
  return Status::ok();
}

static SectionEntry makeEntry(SectionKind kind, uint64_t offset, uint64_t length,
                              uint64_t checksum) {
  SectionEntry entry = {};
  entry.kind = static_cast<uint32_t>(kind);
  entry.offset = offset;
  entry.length = length;
  entry.checksum = checksum;
  std::strncpy(entry.name, sectionName(kind), sizeof entry.name - 1);
  return entry;
}

Status QmodWriter::finish(Program program) {
  program.tensors = std::move(tensors);
  QRT_RETURN_IF_ERROR(verifyProgram(program, weightsBytes));
  QRT_ASSIGN_OR_RETURN(std::vector<uint8_t> encoded, encodeProgram(program));

  std::vector<SectionEntry> table;
  table.push_back(
      makeEntry(SectionKind::Weights, sectionAlignment, weightsBytes, weightsChecksum.digest()));
  auto add = [&](SectionKind kind, const void *data, size_t size) {
    QRT_RETURN_IF_ERROR(file.padTo(sectionAlignment));
    uint64_t offset = file.position();
    QRT_RETURN_IF_ERROR(file.write(data, size));
    uint64_t checksum = Checksum::of({static_cast<const uint8_t *>(data), size});
    table.push_back(makeEntry(kind, offset, size, checksum));
    return Status::ok();
  };
  for (const Extra &extra : extras)
    QRT_RETURN_IF_ERROR(add(extra.kind, extra.bytes.data(), extra.bytes.size()));
  QRT_RETURN_IF_ERROR(add(SectionKind::Program, encoded.data(), encoded.size()));

  FileHeader header = makeHeader(table, file.position());
  QRT_RETURN_IF_ERROR(
      file.rewrite(sizeof header, table.data(), table.size() * sizeof(SectionEntry)));
  QRT_RETURN_IF_ERROR(file.rewrite(0, &header, sizeof header));
  return file.commit();
}

} // namespace qrt
