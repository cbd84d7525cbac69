//===- TextSplit.h - Cutting and repeating strings --------------------------------------------===//
// split and its relatives as methods, and the helpers that text methods and filters share.
#ifndef QRT_TEMPLATE_TEXTSPLIT_H
#define QRT_TEMPLATE_TEXTSPLIT_H

#include "Template/Functions.h"

#include <string>
#include <string_view>
#include <vector>

namespace qrt::jinja {

Value splitMethod(Interpreter &interpreter, const Value &self, Arguments &arguments);
Value rsplitMethod(Interpreter &interpreter, const Value &self, Arguments &arguments);
Value splitLinesMethod(Interpreter &interpreter, const Value &self, Arguments &arguments);
Value partitionMethod(Interpreter &interpreter, const Value &self, Arguments &arguments);
Value rpartitionMethod(Interpreter &interpreter, const Value &self, Arguments &arguments);

/// str.splitlines: without a last empty line.
std::vector<std::string_view> splitLines(std::string_view text, bool keepEnds = false);
/// str.replace; `count` < 0: all.
std::string replaceText(Budget &budget, const std::string &text, const std::string &old,
                        const std::string &with, int64_t count = -1);
std::string repeatText(Budget &budget, std::string_view text, int64_t count);
/// At least one cased character, and none of the other case.
bool isUpperText(std::string_view text);
bool isLowerText(std::string_view text);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_TEXTSPLIT_H
