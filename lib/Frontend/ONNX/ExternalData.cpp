//===- ExternalData.cpp - Files beside the model that hold tensors ----------------------------===//
// See the header. A symbolic link is followed as long as its target is inside the model's folder.
#include "ExternalData.h"

#include <charconv>
#include <filesystem>

namespace fs = std::filesystem;
using qrt::Result;

namespace qopt {

static Result<uint64_t> parseNumber(const std::string &key, const std::string &text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return qrt::invalidModel("external data " + key + " '" + text + "' is not a number");
  return value;
}

Result<std::shared_ptr<const qrt::MappedFile>> ExternalData::open(const std::string &location) {
  if (auto it = files.find(location); it != files.end())
    return it->second;
  if (directory.empty())
    return qrt::invalidModel("the model refers to external data, but it was not read from a file");
  fs::path relative(location);
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute())
    return qrt::invalidModel("external data location '" + location + "' is not a relative path");
  for (const fs::path &part : relative)
    if (part == "..")
      return qrt::invalidModel("external data location '" + location +
                               "' leaves the model's folder");
  std::error_code error;
  fs::path root = fs::canonical(directory, error);
  if (error)
    return qrt::cannotRead("'" + directory + "': " + error.message());
  fs::path target = fs::canonical(root / relative, error);
  if (error)
    return qrt::cannotRead("external data '" + location + "': " + error.message());
  auto [rootEnd, unused] = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (rootEnd != root.end())
    return qrt::invalidModel("external data location '" + location +
                             "' is a link that leaves the model's folder");
  QRT_ASSIGN_OR_RETURN(qrt::MappedFile mapped, qrt::MappedFile::open(target.string()));
  auto shared = std::make_shared<const qrt::MappedFile>(std::move(mapped));
  files.emplace(location, shared);
  return shared;
}

Result<BorrowedBytes> ExternalData::read(const onnx_ir::TensorProto &tensor, uint64_t expected) {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const auto &entry : tensor.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      QRT_ASSIGN_OR_RETURN(offset, parseNumber("offset", entry.value()));
    } else if (entry.key() == "length") {
      QRT_ASSIGN_OR_RETURN(length, parseNumber("length", entry.value()));
    }
  }
  QRT_ASSIGN_OR_RETURN(std::shared_ptr<const qrt::MappedFile> file, open(location));
  if (length && *length != expected)
    return qrt::invalidModel("external data has " + std::to_string(*length) + " bytes, expected " +
                             std::to_string(expected));
  if (offset > file->size() || expected > file->size() - offset)
    return qrt::invalidModel("external data ends behind '" + location + "' (offset " +
                             std::to_string(offset) + ", " + std::to_string(expected) +
                             " bytes, file " + std::to_string(file->size()) + ")");
  return BorrowedBytes{reinterpret_cast<const char *>(file->data()) + offset, size_t(expected),
                       file};
}

} // namespace qopt
