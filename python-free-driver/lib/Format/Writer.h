//===- Writer.h - Writes a .qmod file --------------------------------------------------------===//
// Streams: each tensor goes to the (temporary) file as it is added and its memory can be freed, so
// a model of any size is written with one tensor in memory. finish() adds the program, runs the
// verifier that readers run, syncs and renames. Nothing is left behind without finish().
//
//   auto writer = QmodWriter::create("m.qmod");
//   int32_t w = *writer->addTensor(entry, data, scales, zeroPoints);
//   writer->addSection(SectionKind::Tokenizer, json);
//   writer->finish(std::move(program));
//
// Thread safety: one thread at a time.
#ifndef QRT_FORMAT_WRITER_H
#define QRT_FORMAT_WRITER_H

#include "Format/Checksum.h"
#include "Format/Program.h"
#include "Support/AtomicFile.h"
#include "qrt/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace qrt {

class QmodWriter {
public:
  static Result<QmodWriter> create(const std::string &path);

  /// Appends one tensor and returns its index. Offsets and sizes in `entry` are filled in. Packed:
  /// the three streams hold kernels::packedSizes(entry.weight) bytes (scales and zeroPoints null
  /// where the format has none). Plain: `data` holds the elements. InvalidArgument for an entry
  /// whose shape, dtype and streams do not agree.
  Result<int32_t> addTensor(TensorEntry entry, const void *data, const void *scales = nullptr,
                            const void *zeroPoints = nullptr);

  /// Adds a text section (not Program, not Weights), at most once per kind.
  Status addSection(SectionKind kind, std::string_view bytes);

  /// Writes everything else. program.tensors is ignored: the tensors are those that were added.
  /// InvalidModel if the program breaks a rule of docs/qmod-format.md (a bug of the compiler).
  Status finish(Program program);

private:
  explicit QmodWriter(AtomicFile file) : file(std::move(file)) {}
  Status append(const void *data, size_t size);
  Status appendStream(const void *data, uint64_t size, uint64_t &offset, uint64_t &bytes);

  AtomicFile file;
  Checksum weightsChecksum;
  uint64_t weightsBytes = 0;
  std::vector<TensorEntry> tensors;
  struct Extra {
    SectionKind kind;
    std::string bytes;
  };
  std::vector<Extra> extras;
};

} // namespace qrt

#endif // QRT_FORMAT_WRITER_H
