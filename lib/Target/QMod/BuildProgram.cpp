//===- BuildProgram.cpp - qexec ops to instructions ------------------------------------------===//
// One op, one instruction: operands become value numbers, inherent attributes keep their names.
// Only what Program.h spells differently is translated.
#include "qopt/Target/QMod.h"

#include "qopt/Dialect/QIR/IR/OperandSlots.h"

#include "qopt/Dialect/QIR/IR/QIRDialect.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace qopt {
namespace {

class ProgramBuilder {
public:
  explicit ProgramBuilder(func::FuncOp function) : function(function) {}

  qrt::Result<qrt::Program> run();

private:
  qrt::Status addArguments();
  qrt::Status addOp(Operation &op);
  qrt::Status addInstruction(Operation &op, qrt::OpCode code);
  std::vector<int32_t> linearInputs(qexec::LinearOp op) const;
  qrt::Status addTensorInstruction(qexec::TensorInstructionOp op);
  qrt::Status addOutputs(func::ReturnOp op);
  qrt::Status addResult(Operation &op, Value result);
  void addCache(qexec::AttentionOp op);
  int32_t number(Value value, const qrt::Value &description);
  qrt::IoDesc describe(Value value, DictionaryAttr attributes, StringRef otherwise) const;

  func::FuncOp function;
  qrt::Program program;
  DenseMap<Value, int32_t> numbers;
  int32_t tensors = 0;
};

std::string locationName(Operation &op) {
  auto name = op.getLoc()->findInstanceOf<NameLoc>();
  return name ? name.getName().str() : "";
}

qrt::DType dtypeOf(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  std::optional<qrt::DType> dtype;
  if (tensor)
    dtype = qrt::dtypeFromName(std::string_view(qir::elementTypeName(tensor.getElementType())));
  return dtype.value_or(qrt::DType::F32);
}

/// One attribute in the file's types; nothing for attributes that the file does not know.
std::optional<qrt::AttrValue> attrValue(Attribute attribute) {
  return llvm::TypeSwitch<Attribute, std::optional<qrt::AttrValue>>(attribute)
      .Case([](BoolAttr a) { return qrt::AttrValue(int64_t(a.getValue())); })
      .Case([](IntegerAttr a) { return qrt::AttrValue(a.getValue().getSExtValue()); })
      .Case([](FloatAttr a) { return qrt::AttrValue(a.getValueAsDouble()); })
      .Case([](StringAttr a) { return qrt::AttrValue(a.str()); })
      .Case([](DenseI64ArrayAttr a) {
        return qrt::AttrValue(std::vector<int64_t>(a.asArrayRef().begin(), a.asArrayRef().end()));
      })
      .Case([](DenseF64ArrayAttr a) {
        return qrt::AttrValue(std::vector<double>(a.asArrayRef().begin(), a.asArrayRef().end()));
      })
      .Default([](Attribute) { return std::nullopt; });
}

std::string nameOf(NamedAttribute attribute) { return attribute.getName().str(); }

} // namespace

int32_t ProgramBuilder::number(Value value, const qrt::Value &description) {
  auto index = static_cast<int32_t>(program.values.size());
  program.values.push_back(description);
  numbers[value] = index;
  return index;
}

qrt::IoDesc ProgramBuilder::describe(Value value, DictionaryAttr attributes,
                                     StringRef otherwise) const {
  qrt::IoDesc io;
  auto name = attributes ? attributes.getAs<StringAttr>(qir::nameAttr) : StringAttr();
  io.name = name ? name.str() : otherwise.str();
  io.value = numbers.lookup(value);
  io.dtype = dtypeOf(value.getType());
  if (auto dims = attributes ? attributes.getAs<ArrayAttr>(qir::dimsAttr) : ArrayAttr())
    for (auto dim : dims.getAsRange<StringAttr>())
      io.dims.push_back(dim.str());
  return io;
}

qrt::Status ProgramBuilder::addArguments() {
  for (BlockArgument argument : function.getArguments()) {
    unsigned index = argument.getArgNumber();
    qrt::Value value;
    std::string fallback = "input_" + std::to_string(index);
    if (isa<qexec::IdsType, qexec::PositionsType>(argument.getType())) {
      bool ids = isa<qexec::IdsType>(argument.getType());
      value.kind = ids ? qrt::ValueKind::Ids : qrt::ValueKind::Positions;
      value.dtype = qrt::DType::I32;
      fallback = ids ? "ids" : "positions";
    } else {
      value.kind = qrt::ValueKind::Dynamic;
      value.dtype = dtypeOf(argument.getType());
    }
    number(argument, value);
    qrt::IoDesc io = describe(argument, function.getArgAttrDict(index), fallback);
    io.dtype = value.dtype;
    program.inputs.push_back(std::move(io));
  }
  return qrt::Status::ok();
}

qrt::Status ProgramBuilder::addResult(Operation &op, Value result) {
  qrt::Value value;
  if (auto buffer = dyn_cast<qexec::BufferType>(result.getType())) {
    auto offset = op.getAttrOfType<IntegerAttr>("arena");
    if (!offset)
      return qrt::internalError("'" + op.getName().getStringRef().str() +
                                "' has no place in the arena; qexec-plan-memory has not run");
    value.kind = qrt::ValueKind::Buffer;
    value.width = buffer.getWidth();
    value.arenaOffset = offset.getInt();
  } else {
    value.kind = qrt::ValueKind::Dynamic;
    value.dtype = dtypeOf(result.getType());
  }
  number(result, value);
  return qrt::Status::ok();
}

/// Operands have places; absent ones behind the last are left out.
std::vector<int32_t> ProgramBuilder::linearInputs(qexec::LinearOp op) const {
  auto optional = [&](Value value) { return value ? numbers.lookup(value) : -1; };
  std::vector<int32_t> inputs = {numbers.lookup(op.getX()), numbers.lookup(op.getWeight()),
                                 optional(op.getBias()), optional(op.getAlternate())};
  for (Value part : op.getOutliers())
    inputs.push_back(numbers.lookup(part));
  while (inputs.back() == -1)
    inputs.pop_back();
  return inputs;
}

qrt::Status ProgramBuilder::addInstruction(Operation &op, qrt::OpCode code) {
  qrt::Instruction instruction;
  instruction.op = code;
  instruction.location = locationName(op);
  if (auto linear = dyn_cast<qexec::LinearOp>(op)) {
    instruction.inputs = linearInputs(linear);
  } else {
    for (Value operand : op.getOperands())
      instruction.inputs.push_back(numbers.lookup(operand));
  }
  for (NamedAttribute attribute : op.getAttrs()) {
    std::string name = nameOf(attribute);
    if (name == "arena" || StringRef(name).contains('.'))
      continue;
    if (std::optional<qrt::AttrValue> value = attrValue(attribute.getValue()))
      instruction.attrs.push_back({name, *value});
  }
  for (Value result : op.getResults()) {
    QRT_RETURN_IF_ERROR(addResult(op, result));
    instruction.outputs.push_back(numbers.lookup(result));
  }
  program.instructions.push_back(std::move(instruction));
  return qrt::Status::ok();
}

qrt::Status ProgramBuilder::addTensorInstruction(qexec::TensorInstructionOp op) {
  qrt::Instruction instruction;
  instruction.op = qrt::OpCode::TensorOp;
  instruction.location = locationName(*op);
  instruction.attrs.push_back({"op", op.getOp().str()});
  size_t next = 0, total = op.getInputs().size() + op.getAbsent().size();
  for (size_t position = 0; position < total; ++position) {
    bool absent = llvm::is_contained(op.getAbsent(), static_cast<int64_t>(position));
    instruction.inputs.push_back(absent ? -1 : numbers.lookup(op.getInputs()[next++]));
  }
  for (NamedAttribute attribute : op.getAttrsAttr()) {
    std::optional<qrt::AttrValue> value = attrValue(attribute.getValue());
    if (!value)
      return qrt::internalError("attribute '" + nameOf(attribute) + "' of " + op.getOp().str() +
                                " cannot be stored");
    instruction.attrs.push_back({nameOf(attribute), *value});
  }
  for (Value result : op.getOutputs()) {
    QRT_RETURN_IF_ERROR(addResult(*op, result));
    instruction.outputs.push_back(numbers.lookup(result));
  }
  program.instructions.push_back(std::move(instruction));
  return qrt::Status::ok();
}

void ProgramBuilder::addCache(qexec::AttentionOp op) {
  size_t cache = op.getCache();
  if (program.caches.size() <= cache)
    program.caches.resize(cache + 1);
  qrt::CacheSpec &spec = program.caches[cache];
  spec.kvHeads = op.getKvHeads();
  spec.headDim = op.getHeadDim();
  spec.valueDim = op.getValueDim();
  spec.window = op.getWindow();
}

qrt::Status ProgramBuilder::addOutputs(func::ReturnOp op) {
  for (auto [index, value] : llvm::enumerate(op.getOperands())) {
    std::string fallback = op.getNumOperands() == 1 ? "logits" : "output_" + std::to_string(index);
    program.outputs.push_back(describe(value, function.getResultAttrDict(index), fallback));
  }
  return qrt::Status::ok();
}

qrt::Status ProgramBuilder::addOp(Operation &op) {
  using qrt::OpCode;
  if (isa<qexec::WeightOp, qexec::TensorOp>(op)) {
    qrt::Value value;
    value.kind = qrt::ValueKind::Tensor;
    value.dtype = dtypeOf(op.getResult(0).getType());
    value.tensorIndex = tensors++;
    number(op.getResult(0), value);
    return qrt::Status::ok();
  }
  if (auto attention = dyn_cast<qexec::AttentionOp>(op))
    addCache(attention);
  return llvm::TypeSwitch<Operation *, qrt::Status>(&op)
      .Case([&](func::ReturnOp op) { return addOutputs(op); })
      .Case([&](qexec::TensorInstructionOp op) { return addTensorInstruction(op); })
      .Case([&](qexec::EmbedOp op) { return addInstruction(*op, OpCode::Embed); })
      .Case([&](qexec::LinearOp op) { return addInstruction(*op, OpCode::Linear); })
      .Case([&](qexec::RmsNormOp op) { return addInstruction(*op, OpCode::RmsNorm); })
      .Case([&](qexec::LayerNormOp op) { return addInstruction(*op, OpCode::LayerNorm); })
      .Case([&](qexec::RopeOp op) { return addInstruction(*op, OpCode::Rope); })
      .Case([&](qexec::AttentionOp op) { return addInstruction(*op, OpCode::Attention); })
      .Case(
          [&](qexec::GatedActivationOp op) { return addInstruction(*op, OpCode::GatedActivation); })
      .Case([&](qexec::UnaryOp op) { return addInstruction(*op, OpCode::Unary); })
      .Case([&](qexec::BinaryOp op) { return addInstruction(*op, OpCode::Binary); })
      .Case([&](qexec::CopyColumnsOp op) { return addInstruction(*op, OpCode::CopyColumns); })
      .Case([&](qexec::HadamardOp op) { return addInstruction(*op, OpCode::Hadamard); })
      .Case([&](qexec::SelectRowsOp op) { return addInstruction(*op, OpCode::SelectRows); })
      .Default([](Operation *op) {
        return qrt::internalError("'" + op->getName().getStringRef().str() +
                                  "' is no instruction; convert-qir-to-qexec has not run");
      });
}

qrt::Result<qrt::Program> ProgramBuilder::run() {
  auto kind = function->getAttrOfType<StringAttr>(qexec::kindAttr);
  if (!kind)
    return qrt::internalError("function '" + function.getName().str() + "' is not lowered");
  bool tokenMajor = kind.getValue() == "token_major";
  program.kind = tokenMajor ? qrt::ProgramKind::TokenMajor : qrt::ProgramKind::Generic;
  auto vocabulary = function->getAttrOfType<IntegerAttr>(qexec::vocabSizeAttr);
  if (!vocabulary)
    return qrt::unsupported("the size of the vocabulary cannot be told from the graph: the last "
                            "dimension of its logits is not known");
  program.vocabSize = static_cast<int32_t>(vocabulary.getInt());
  if (auto arena = function->getAttrOfType<IntegerAttr>(qexec::arenaAttr))
    program.arenaFloatsPerToken = arena.getInt();
  QRT_RETURN_IF_ERROR(addArguments());
  for (Operation &op : function.getBody().front())
    QRT_RETURN_IF_ERROR(addOp(op));
  return std::move(program);
}

qrt::Result<qrt::Program> buildProgram(func::FuncOp function) {
  return ProgramBuilder(function).run();
}

} // namespace qopt
