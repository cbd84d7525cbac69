//===- ExternalData.h - Files beside the model that hold tensors ------------------------------===//
// Locations come from the model file and are hostile: only relative paths that stay inside the
// model's folder after symbolic links are resolved. Files are mapped once and shared.
#ifndef QOPT_LIB_FRONTEND_ONNX_EXTERNALDATA_H
#define QOPT_LIB_FRONTEND_ONNX_EXTERNALDATA_H

#include "onnx.pb.h"

#include "Support/MappedFile.h"
#include "qrt/Status.h"

#include <map>
#include <memory>
#include <string>

namespace qopt {

/// Bytes and the object that keeps them alive.
struct BorrowedBytes {
  const char *data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> owner;
};

class ExternalData {
public:
  explicit ExternalData(std::string directory) : directory(std::move(directory)) {}

  /// The bytes of an external tensor; `expected` is its size by type and shape, which replaces a
  /// missing length and must equal one that is given.
  qrt::Result<BorrowedBytes> read(const onnx_ir::TensorProto &tensor, uint64_t expected);

private:
  qrt::Result<std::shared_ptr<const qrt::MappedFile>> open(const std::string &location);

  std::string directory;
  std::map<std::string, std::shared_ptr<const qrt::MappedFile>> files;
};

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_EXTERNALDATA_H
