//===- Inspect.cpp - qrun inspect: everything a file says about itself -----------------------===//
#include "Command.h"
#include "InspectJson.h"
#include "Output.h"
#include "Summary.h"

#include "Support/Memory.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace qrt {

namespace {

struct Flags {
  std::string model;
  bool json = false;
};

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t dim : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text.empty() ? "scalar" : text;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

std::string formatted(const char *format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string tensorTable(const Program &program) {
  size_t nameWidth = 6, shapeWidth = 5, schemeWidth = 6;
  for (const TensorEntry &tensor : program.tensors) {
    nameWidth = std::max(nameWidth, tensor.name.size());
    shapeWidth = std::max(shapeWidth, shapeText(tensor.shape).size());
    schemeWidth = std::max(schemeWidth, tensor.scheme.size());
  }
  auto row = [&](const std::string &name, const std::string &shape, const std::string &scheme,
                 const std::string &bytes, const std::string &error) {
    return "  " + padded(name, nameWidth) + "  " + padded(shape, shapeWidth) + "  " +
           padded(scheme, schemeWidth) + "  " + padded(bytes, 10) + "  " + error + "\n";
  };
  std::string out = row("tensor", "shape", "scheme", "size", "error");
  for (const TensorEntry &tensor : program.tensors) {
    out +=
        row(tensor.name, shapeText(tensor.shape), tensor.scheme, formatBytes(storedBytes(tensor)),
            std::isnan(tensor.rmsError) ? "-" : formatted("%.5f", tensor.rmsError));
    for (const SourceName &source : tensor.sources)
      if (source.name != tensor.name)
        out += "    = " + source.name + (source.transposed ? " (transposed)" : "") + "\n";
  }
  return out;
}

/// "key: value" lines of the flat members of an object.
std::string flatLines(const OrderedJson &object) {
  std::string out;
  if (!object.is_object())
    return object.is_null() ? "" : "  " + dumpJson(object) + "\n";
  for (const auto &[key, value] : object.items())
    if (!value.is_null() && value != "" && value != OrderedJson::array())
      out += "  " + key + ": " + (value.is_string() ? value.get<std::string>() : dumpJson(value)) +
             "\n";
  return out;
}

std::string inspectText(const Model &model) {
  const OrderedJson json = inspectJson(model);
  const BitsPerWeight bits = bitsPerWeight(model);
  std::string out = model.path() + ": .qmod " + json["format_version"].get<std::string>() + ", " +
                    formatBytes(int64_t(model.fileBytes()));
  if (bits.file)
    out += ", " + formatted("%.3f", *bits.file) + " bits per weight over the whole file";
  if (bits.quantizedLinears)
    out += ", " + formatted("%.3f", *bits.quantizedLinears) + " over the quantized linears";
  out += "\n";
  for (const char *part : {"program", "fp16_set", "tokenizer", "think_tags", "markers",
                           "generation_config", "recipe", "provenance"}) {
    out += std::string(part) + ":" + (json[part].is_null() ? " none" : "") + "\n";
    out += flatLines(json[part]);
  }
  return out + "tensors:\n" + tensorTable(model.program());
}

Status inspect(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  return flags.json ? writeJson(inspectJson(*model), 1) : writeOutput(inspectText(*model));
}

} // namespace

void addInspect(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand("inspect", "Print everything a file says about itself");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command->add_flag("--json", flags->json, "As JSON (docs/cli.md lists the members)");
  command->callback([&action, flags] { action = [flags] { return inspect(*flags); }; });
}

} // namespace qrt
