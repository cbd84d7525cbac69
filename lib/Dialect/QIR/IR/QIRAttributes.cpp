//===- QIRAttributes.cpp - Text forms of schemes ---------------------------------------------===//
// Two text forms: #qir.scheme<w4a16, group = 128, sym> in IR, w4a16-g128-sym on command lines.
#include "qopt/Dialect/QIR/IR/QIRAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace qopt::qir;

#include "qopt/Dialect/QIR/IR/QIREnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "qopt/Dialect/QIR/IR/QIRAttributes.cpp.inc"

void QIRDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/Dialect/QIR/IR/QIRAttributes.cpp.inc"
      >();
}

LogicalResult SchemeAttr::verify(function_ref<InFlightDiagnostic()> emitError, WeightFormat format,
                                 unsigned weightBits, unsigned activationBits, int64_t groupSize,
                                 bool symmetric) {
  if (format != WeightFormat::Int)
    return success();
  if (weightBits != 2 && weightBits != 3 && weightBits != 4 && weightBits != 8) // C1
    return emitError() << "expects a weight of 2, 3, 4 or 8 bits, got " << weightBits;
  if (activationBits != 8 && activationBits != 16 && activationBits != 32) // C2
    return emitError() << "expects an activation of 8, 16 or 32 bits, got " << activationBits;
  if (groupSize != 0 && groupSize != 32 && groupSize != 64 && groupSize != 128) // C3
    return emitError() << "expects a group of 0 (channel), 32, 64 or 128, got " << groupSize;
  return success();
}

SchemeAttr SchemeAttr::getDense(MLIRContext *context, WeightFormat format) {
  unsigned bits = format == WeightFormat::F32 ? 32 : 16;
  return get(context, format, bits, bits, 0, true);
}

SchemeAttr SchemeAttr::getInt(MLIRContext *context, unsigned weightBits, unsigned activationBits,
                              int64_t groupSize, bool symmetric) {
  return get(context, WeightFormat::Int, weightBits, activationBits, groupSize, symmetric);
}

/// Splits "w4a16" into 4 and 16.
static bool parseBits(StringRef text, unsigned &weightBits, unsigned &activationBits) {
  auto [weight, activation] = text.split('a');
  return weight.consume_front("w") && !weight.getAsInteger(10, weightBits) &&
         !activation.getAsInteger(10, activationBits);
}

SchemeAttr SchemeAttr::fromText(MLIRContext *context, StringRef text, std::string &error) {
  if (std::optional<WeightFormat> format = symbolizeWeightFormat(text);
      format && *format != WeightFormat::Int)
    return getDense(context, *format);
  SmallVector<StringRef> words;
  text.split(words, '-');
  unsigned weightBits = 0, activationBits = 0;
  if (!parseBits(words[0], weightBits, activationBits)) {
    error = ("expects f32, f16, bf16 or w<BITS>a<BITS>[-g<GROUP>|-channel][-sym|-asym], got '" +
             text + "'")
                .str();
    return {};
  }
  int64_t groupSize = weightBits < 8 ? 128 : 0;
  bool symmetric = weightBits >= 4;
  for (StringRef word : ArrayRef(words).drop_front()) {
    if (word == "channel") {
      groupSize = 0;
    } else if (word == "sym" || word == "asym") {
      symmetric = word == "sym";
    } else if (!word.consume_front("g") || word.getAsInteger(10, groupSize) || groupSize == 0) {
      error = ("unknown part '" + word + "' in scheme '" + text + "'").str();
      return {};
    }
  }
  auto onError = [&] { return mlir::emitError(UnknownLoc::get(context)); };
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  if (failed(
          verify(onError, WeightFormat::Int, weightBits, activationBits, groupSize, symmetric))) {
    error = "scheme '" + text.str() + "' " + message;
    return {};
  }
  return getInt(context, weightBits, activationBits, groupSize, symmetric);
}

std::string SchemeAttr::toText() const {
  if (!isInt())
    return stringifyWeightFormat(getFormat()).str();
  std::string group = getGroupSize() == 0 ? "channel" : llvm::formatv("g{0}", getGroupSize()).str();
  return llvm::formatv("w{0}a{1}-{2}-{3}", getWeightBits(), getActivationBits(), group,
                       getSymmetric() ? "sym" : "asym");
}

StringRef SchemeAttr::activationName() const {
  if (!isInt() || getActivationBits() == 32)
    return "f32";
  return getActivationBits() == 8 ? "a8" : "a16";
}

void SchemeAttr::print(AsmPrinter &printer) const {
  if (!isInt()) {
    printer << "<" << stringifyWeightFormat(getFormat()) << ">";
    return;
  }
  printer << "<w" << getWeightBits() << "a" << getActivationBits();
  if (getGroupSize() == 0)
    printer << ", channel";
  else
    printer << ", group = " << getGroupSize();
  printer << ", " << (getSymmetric() ? "sym" : "asym") << ">";
}

Attribute SchemeAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseLess() || parser.parseKeyword(&word))
    return {};
  if (std::optional<WeightFormat> format = symbolizeWeightFormat(word);
      format && *format != WeightFormat::Int) {
    if (parser.parseGreater())
      return {};
    return getDense(parser.getContext(), *format);
  }
  unsigned weightBits = 0, activationBits = 0;
  if (!parseBits(word, weightBits, activationBits)) {
    parser.emitError(loc, "expects f32, f16, bf16 or w<BITS>a<BITS>, got '") << word << "'";
    return {};
  }
  int64_t groupSize = 0;
  if (parser.parseComma())
    return {};
  if (failed(parser.parseOptionalKeyword("channel")))
    if (parser.parseKeyword("group") || parser.parseEqual() || parser.parseInteger(groupSize))
      return {};
  StringRef symmetry;
  if (parser.parseComma() || parser.parseKeyword(&symmetry) || parser.parseGreater())
    return {};
  if (symmetry != "sym" && symmetry != "asym") {
    parser.emitError(loc, "expects 'sym' or 'asym', got '") << symmetry << "'";
    return {};
  }
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), WeightFormat::Int,
                    weightBits, activationBits, groupSize, symmetry == "sym");
}
