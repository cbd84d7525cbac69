//===- Dump.cpp - qrun dump: weights as the model uses them ----------------------------------===//
#include "Command.h"
#include "Interrupt.h"
#include "NpyWriter.h"
#include "Output.h"

#include "Support/CheckedMath.h"
#include "kernels/cuda/layout/StoredWeights.h"
#include "qrt/Model.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace qrt {

namespace {

struct Flags {
  std::string model, tensor, output;
};

/// A tensor under one of its names.
struct Named {
  int32_t index;
  SourceName source;
};

/// Every tensor under each name that the ONNX file has for it; those that the compiler made (rotary
/// frequencies, folded constants) under their own.
std::vector<Named> namesOf(const Program &program) {
  std::vector<Named> names;
  for (size_t i = 0; i < program.tensors.size(); ++i) {
    const TensorEntry &tensor = program.tensors[i];
    for (const SourceName &source : tensor.sources)
      names.push_back({int32_t(i), source});
    if (tensor.sources.empty())
      names.push_back({int32_t(i), {tensor.name, false}});
  }
  return names;
}

/// Only matrices lie transposed in ONNX files.
bool isTransposed(const TensorEntry &tensor, const SourceName &source) {
  return source.transposed && tensor.shape.size() == 2;
}

std::vector<int64_t> shapeUnder(const TensorEntry &tensor, const SourceName &source) {
  std::vector<int64_t> shape = tensor.shape;
  if (isTransposed(tensor, source))
    std::reverse(shape.begin(), shape.end());
  return shape;
}

/// Rows of a matrix dequantized at a time: enough for the transposed writes to be 4 KiB long.
constexpr int64_t rowsAtOnce = 1024;

Status writePacked(const Model &model, const Named &named, NpyWriter &file) {
  kernels::WeightView weight = model.weight(named.index);
  std::vector<uint8_t> forCpu; // the rows of a file that was compiled for devices
  if (model.program().tensors[size_t(named.index)].fragments) {
    QRT_ASSIGN_OR_RETURN(const kernels::PackedSizes sizes, kernels::packedSizes(weight.desc));
    forCpu.resize(sizes.data);
    cuda::loadFromFragments(weight.desc, weight.data, forCpu.data());
    weight.data = forCpu.data();
  }
  const int64_t n = weight.desc.n, k = weight.desc.k;
  std::vector<float> rows, column;
  for (int64_t first = 0; first < n; first += rowsAtOnce) {
    QRT_RETURN_IF_ERROR(checkInterrupt());
    const int64_t count = std::min(rowsAtOnce, n - first);
    rows.resize(size_t(count * k));
    for (int64_t row = 0; row < count; ++row)
      kernels::dequantizeRow(weight, first + row, rows.data() + row * k);
    if (!named.source.transposed) {
      QRT_RETURN_IF_ERROR(file.writeAt(first * k, rows));
      continue;
    }
    column.resize(size_t(count));
    for (int64_t at = 0; at < k; ++at) {
      for (int64_t row = 0; row < count; ++row)
        column[size_t(row)] = rows[size_t(row * k + at)];
      QRT_RETURN_IF_ERROR(file.writeAt(at * n + first, column));
    }
  }
  return Status::ok();
}

Status writePlain(const Model &model, const Named &named, NpyWriter &file) {
  const TensorEntry &tensor = model.program().tensors[size_t(named.index)];
  std::vector<float> values(static_cast<size_t>(*checkedProduct(tensor.shape)));
  QRT_RETURN_IF_ERROR(model.dequantizeTensor(named.index, values.data()));
  if (isTransposed(tensor, named.source)) {
    const size_t n = size_t(tensor.shape[0]), k = size_t(tensor.shape[1]);
    std::vector<float> transposed(values.size());
    for (size_t row = 0; row < n; ++row)
      for (size_t at = 0; at < k; ++at)
        transposed[at * n + row] = values[row * k + at];
    values = std::move(transposed);
  }
  return file.writeAt(0, values);
}

Status dumpTensor(const Model &model, const Named &named, const std::string &path) {
  const TensorEntry &tensor = model.program().tensors[size_t(named.index)];
  QRT_ASSIGN_OR_RETURN(NpyWriter file, NpyWriter::create(path, shapeUnder(tensor, named.source)));
  QRT_RETURN_IF_ERROR(tensor.packed ? writePacked(model, named, file)
                                    : writePlain(model, named, file));
  return file.commit();
}

OrderedJson describe(const Model &model, const Named &named, const std::string &path) {
  const TensorEntry &tensor = model.program().tensors[size_t(named.index)];
  OrderedJson entry;
  entry["name"] = named.source.name;
  entry["file"] = path;
  entry["shape"] = shapeUnder(tensor, named.source);
  entry["scheme"] = tensor.scheme;
  return entry;
}

Result<Named> findTensor(const Program &program, const std::string &name) {
  for (Named &named : namesOf(program))
    if (named.source.name == name)
      return std::move(named);
  for (size_t i = 0; i < program.tensors.size(); ++i)
    if (program.tensors[i].name == name)
      return Named{int32_t(i), {name, false}};
  return invalidArgument("--tensor: no tensor is called '" + name +
                         "'; `qrun inspect MODEL` lists them");
}

/// A file name for any initializer's name: '/' and what file names cannot hold become %XX.
std::string fileNameFor(const std::string &name, size_t number) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    auto c = static_cast<unsigned char>(name[i]);
    if (c == '/' || c == '%' || c < 0x20 || c == 0x7f || (c == '.' && i == 0)) {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", c);
      out += hex;
    } else {
      out += static_cast<char>(c);
    }
  }
  // File systems end at 255 bytes; the list on stdout says whose file it is.
  return (out.size() <= 240 ? out : "tensor-" + std::to_string(number)) + ".npy";
}

Status dump(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  if (!flags.tensor.empty()) {
    QRT_ASSIGN_OR_RETURN(Named named, findTensor(model->program(), flags.tensor));
    QRT_RETURN_IF_ERROR(dumpTensor(*model, named, flags.output));
    return writeJson(describe(*model, named, flags.output));
  }
  if (mkdir(flags.output.c_str(), 0777) != 0 && errno != EEXIST)
    return cannotWrite(flags.output + ": " + std::strerror(errno));
  OrderedJson list = OrderedJson::array();
  const std::vector<Named> names = namesOf(model->program());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string path = flags.output + "/" + fileNameFor(names[i].source.name, i);
    QRT_RETURN_IF_ERROR(dumpTensor(*model, names[i], path));
    list.push_back(describe(*model, names[i], path));
  }
  return writeJson(list, 1);
}

} // namespace

void addDump(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command =
      app.add_subcommand("dump", "Write weights as the model uses them: dequantized, float32 .npy");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command->add_option("--tensor", flags->tensor, "Name of one ONNX initializer; without it, all");
  command
      ->add_option("-o,--output", flags->output,
                   "The .npy file, or without --tensor the folder, to write")
      ->required();
  command->callback([&action, flags] { action = [flags] { return dump(*flags); }; });
}

} // namespace qrt
