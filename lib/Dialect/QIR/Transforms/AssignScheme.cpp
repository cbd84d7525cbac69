//===- AssignScheme.cpp - Decide how each weight is stored -----------------------------------===//
// Rules go by the names of initializers, because those are the names that people see in reports.
// The pass only decides; qir-quantize-weights and lowering obey.
#include "qopt/Dialect/QIR/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/Regex.h"

namespace qopt::qir {
#define GEN_PASS_DEF_ASSIGNSCHEME
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt::qir;

namespace {

/// An op with a weight that can be stored in another format.
struct WeightUse {
  Operation *op;
  ConstantOp weight;
  bool isHead = false, isEmbedding = false;
};

std::optional<WeightUse> weightUse(Operation &op) {
  WeightUse use{&op, {}};
  if (auto linear = dyn_cast<LinearOp>(op)) {
    use.weight = linear.getW().getDefiningOp<ConstantOp>();
    use.isHead = linear.getRole() == "head";
  } else if (auto embedding = dyn_cast<EmbeddingOp>(op)) {
    use.weight = embedding.getTable().getDefiningOp<ConstantOp>();
    use.isEmbedding = true;
  }
  return use.weight ? std::optional(use) : std::nullopt;
}

/// The initializer's name and those of tied ones.
SmallVector<StringRef> namesOf(ConstantOp weight) {
  SmallVector<StringRef> names;
  if (auto name = weight->getLoc()->findInstanceOf<NameLoc>())
    names.push_back(name.getName().getValue());
  if (auto aliases = weight->getAttrOfType<ArrayAttr>(aliasesAttr))
    for (auto alias : aliases.getAsRange<DictionaryAttr>())
      if (auto name = alias.getAs<StringAttr>("name"))
        names.push_back(name.getValue());
  return names;
}

/// One pattern of the command line and how often it matched.
struct Rule {
  enum Kind { TensorType, KeepFp16, Ignore } kind;
  std::string text;
  std::shared_ptr<const llvm::Regex> pattern; // passes are copied, regexes cannot be
  SchemeAttr scheme;                          // TensorType, KeepFp16
  unsigned matches = 0;

  bool fits(ArrayRef<StringRef> names) const {
    return llvm::any_of(names, [&](StringRef name) { return pattern->match(name); });
  }
};

struct AssignSchemePass : qopt::qir::impl::AssignSchemeBase<AssignSchemePass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(readRules()))
      return signalPassFailure();
    SmallVector<WeightUse> uses;
    getOperation()->walk([&](Operation *op) {
      if (std::optional<WeightUse> use = weightUse(*op))
        uses.push_back(*use);
    });
    markHead(uses);
    for (const WeightUse &use : uses)
      assign(use, uses);
    reportMisfits();
    for (const Rule &rule : rules)
      if (rule.matches == 0) {
        getOperation().emitError() << "'" << rule.text << "' matches no weight";
        signalPassFailure();
      }
  }

  LogicalResult readScheme(StringRef flag, StringRef text, SchemeAttr &scheme) {
    std::string error;
    if (!text.empty() && !(scheme = SchemeAttr::fromText(&getContext(), text, error)))
      return getOperation().emitError() << flag << ": " << error;
    return success();
  }

  LogicalResult addRule(Rule::Kind kind, StringRef text, StringRef pattern, SchemeAttr scheme) {
    rules.push_back({kind, text.str(), std::make_shared<llvm::Regex>(pattern), scheme});
    std::string error;
    if (!rules.back().pattern->isValid(error))
      return getOperation().emitError()
             << "'" << pattern << "' is no regular expression: " << error;
    return success();
  }

  LogicalResult readRules() {
    rules.clear();
    misfits.clear();
    base = head = embed = {};
    if (failed(readScheme("scheme", scheme, base)) ||
        failed(readScheme("head-scheme", headScheme, head)) ||
        failed(readScheme("embed-scheme", embedScheme, embed)))
      return failure();
    for (StringRef text : tensorType) {
      auto [pattern, type] = text.rsplit('=');
      SchemeAttr chosen;
      if (failed(readScheme("tensor-type", type, chosen)) ||
          failed(addRule(Rule::TensorType, text, pattern, chosen)))
        return failure();
    }
    SchemeAttr half = SchemeAttr::getDense(&getContext(), WeightFormat::F16);
    for (StringRef text : keepFp16)
      if (failed(addRule(Rule::KeepFp16, text, text, half)))
        return failure();
    for (StringRef text : ignore) {
      StringRef pattern = text;
      std::string exact = "^" + llvm::Regex::escape(text) + "$";
      if (failed(addRule(Rule::Ignore, text, pattern.consume_front("re:") ? pattern : exact, {})))
        return failure();
    }
    return success();
  }

  /// A graph from a raiser that sets no role: the head is the linear that makes the first result.
  void markHead(MutableArrayRef<WeightUse> uses) {
    if (llvm::any_of(uses, [](const WeightUse &use) { return use.isHead; }))
      return;
    Operation *end = getOperation().getBody().front().getTerminator();
    Operation *op = end->getNumOperands() ? end->getOperand(0).getDefiningOp() : nullptr;
    while (op && !isa<LinearOp>(op) && op->getNumOperands() > 0)
      op = op->getOperand(0).getDefiningOp(); // casts, softcap, scaling
    for (WeightUse &use : uses)
      if (use.op == op && isa<LinearOp>(op)) {
        use.isHead = true;
        cast<LinearOp>(op).setRole("head");
      }
  }

  /// The scheme where no pattern decides.
  SchemeAttr defaultScheme(const WeightUse &use, ArrayRef<WeightUse> all) {
    bool tied = llvm::any_of(
        all, [&](const WeightUse &other) { return other.isHead && other.weight == use.weight; });
    if (use.isEmbedding && embed)
      return embed;
    if (use.isHead || (use.isEmbedding && tied)) {
      if (head)
        return head;
    } else if (!use.isEmbedding) {
      return base;
    }
    if (!base || !base.isInt() || base.getWeightBits() >= 8)
      return base;
    return SchemeAttr::getInt(&getContext(), 8, base.getActivationBits(), 0, true);
  }

  void assign(const WeightUse &use, ArrayRef<WeightUse> all) {
    SmallVector<StringRef> names = namesOf(use.weight);
    Rule *decided = nullptr;
    for (Rule &rule : rules)
      if (rule.fits(names)) {
        ++rule.matches;
        decided = decided ? decided : &rule;
      }
    SchemeAttr chosen = decided ? decided->scheme : defaultScheme(use, all);
    if (decided && decided->kind == Rule::KeepFp16)
      use.op->setAttr("qir.critical",
                      CriticalAttr::get(
                          &getContext(),
                          StringAttr::get(&getContext(), "kept by --keep-fp16 " + decided->text)));
    if (chosen) {
      chosen = fitGroup(use, chosen, names);
      use.op->setAttr("scheme", chosen);
    }
    remark::passed(ConstantOp(use.weight).getLoc(),
                   remark::RemarkOpts::name("scheme").category("assign"))
        << (chosen ? chosen.toText() : std::string("as the source has it"));
  }

  /// The scheme with a group that divides K, or a note in `misfits`.
  SchemeAttr fitGroup(const WeightUse &use, SchemeAttr chosen, ArrayRef<StringRef> names) {
    const int64_t group = chosen.getGroupSize();
    auto type = dyn_cast<RankedTensorType>(ConstantOp(use.weight).getType());
    const int64_t k = type && type.getRank() == 2 ? type.getDimSize(1) : 0;
    if (!chosen.isInt() || group == 0 || k <= group || k % group == 0)
      return chosen;
    if (!fallbackGroup || chosen != base) {
      misfits.push_back(((names.empty() ? StringRef("a weight") : names.front()) +
                         " (K = " + Twine(k) + ", group " + Twine(group) + ")")
                            .str());
      return chosen;
    }
    int64_t fitting = 32;
    for (int64_t smaller : {64, 128})
      if (smaller < group && k % smaller == 0)
        fitting = smaller;
    remark::missed(ConstantOp(use.weight).getLoc(),
                   remark::RemarkOpts::name("group").category("assign"))
        << "group " + std::to_string(group) + " does not divide K = " + std::to_string(k) +
               ", taking " + std::to_string(fitting);
    return SchemeAttr::getInt(&getContext(), chosen.getWeightBits(), chosen.getActivationBits(),
                              fitting, chosen.getSymmetric());
  }

  void reportMisfits() {
    if (misfits.empty())
      return;
    constexpr size_t shown = 8;
    std::string text;
    for (size_t i = 0; i < std::min(shown, misfits.size()); ++i)
      text += (i ? ", " : "") + misfits[i];
    if (misfits.size() > shown)
      text += " and " + std::to_string(misfits.size() - shown) + " more";
    getOperation().emitError() << "the group size does not divide the input features of " << text;
    signalPassFailure();
  }

  std::vector<Rule> rules;
  std::vector<std::string> misfits;
  SchemeAttr base, head, embed;
};

} // namespace
