//===- FormatSpec.h - Numbers and padding in formatted text -----------------------------------===//
// What str.format and the % operator share.
#ifndef QRT_TEMPLATE_FORMATSPEC_H
#define QRT_TEMPLATE_FORMATSPEC_H

#include "Template/Functions.h"

namespace qrt::jinja {

/// [[fill]align][sign][#][0][width][,][.precision][type]
struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', type = 0, group = 0;
  bool alternate = false;
  int64_t width = 0, precision = -1;
};

/// The decimal number at `at`, 0 if there is none; a limit error if it is too large to pad to.
int64_t formatNumber(std::string_view text, size_t &at);
std::string padded(Interpreter &interpreter, const std::string &text, const Spec &spec, char align);
/// With `separator` (0: none) between groups of three digits.
std::string grouped(const std::string &digits, char separator);
/// type: one of d x X o b.
std::string integerDigits(int64_t value, char type, bool alternate);
/// type: one of e E f F g G.
std::string realDigits(double value, char type, int64_t precision, bool alternate);
/// With '+' or ' ' in front of what is not negative.
std::string signedText(std::string text, char sign);

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_FORMATSPEC_H
