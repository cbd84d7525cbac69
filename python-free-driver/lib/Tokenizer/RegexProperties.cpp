//===- RegexProperties.cpp - Names of character properties ------------------------------------===//
#include "Tokenizer/RegexSyntax.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace qrt::text {

const char *const whitespaceClass = "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"
                                    "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
const char *const notWhitespaceClass =
    "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{84}\\x{86}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}"
    "\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-"
    "\\x{10FFFF}";
// Oniguruma has the digits and fractions of Latin-1 among the characters of words.
const char *const wordClass =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";

namespace {
struct Name {
  const char *name;
  const char *value;
};
} // namespace

/// General categories, by their long names and short ones.
static constexpr std::array categories = {
    Name{"l", "L"},
    Name{"letter", "L"},
    Name{"lu", "Lu"},
    Name{"uppercaseletter", "Lu"},
    Name{"ll", "Ll"},
    Name{"lowercaseletter", "Ll"},
    Name{"lt", "Lt"},
    Name{"titlecaseletter", "Lt"},
    Name{"lm", "Lm"},
    Name{"modifierletter", "Lm"},
    Name{"lo", "Lo"},
    Name{"otherletter", "Lo"},
    Name{"lc", "L&"},
    Name{"casedletter", "L&"},
    Name{"m", "M"},
    Name{"mark", "M"},
    Name{"combiningmark", "M"},
    Name{"mn", "Mn"},
    Name{"nonspacingmark", "Mn"},
    Name{"mc", "Mc"},
    Name{"spacingmark", "Mc"},
    Name{"me", "Me"},
    Name{"enclosingmark", "Me"},
    Name{"n", "N"},
    Name{"number", "N"},
    Name{"nd", "Nd"},
    Name{"decimalnumber", "Nd"},
    Name{"digit", "Nd"},
    Name{"nl", "Nl"},
    Name{"letternumber", "Nl"},
    Name{"no", "No"},
    Name{"othernumber", "No"},
    Name{"p", "P"},
    Name{"punctuation", "P"},
    Name{"pc", "Pc"},
    Name{"connectorpunctuation", "Pc"},
    Name{"pd", "Pd"},
    Name{"dashpunctuation", "Pd"},
    Name{"ps", "Ps"},
    Name{"openpunctuation", "Ps"},
    Name{"pe", "Pe"},
    Name{"closepunctuation", "Pe"},
    Name{"pi", "Pi"},
    Name{"initialpunctuation", "Pi"},
    Name{"pf", "Pf"},
    Name{"finalpunctuation", "Pf"},
    Name{"po", "Po"},
    Name{"otherpunctuation", "Po"},
    Name{"s", "S"},
    Name{"symbol", "S"},
    Name{"sm", "Sm"},
    Name{"mathsymbol", "Sm"},
    Name{"sc", "Sc"},
    Name{"currencysymbol", "Sc"},
    Name{"sk", "Sk"},
    Name{"modifiersymbol", "Sk"},
    Name{"so", "So"},
    Name{"othersymbol", "So"},
    Name{"z", "Z"},
    Name{"separator", "Z"},
    Name{"zs", "Zs"},
    Name{"spaceseparator", "Zs"},
    Name{"zl", "Zl"},
    Name{"lineseparator", "Zl"},
    Name{"zp", "Zp"},
    Name{"paragraphseparator", "Zp"},
    Name{"c", "C"},
    Name{"other", "C"},
    Name{"cc", "Cc"},
    Name{"control", "Cc"},
    Name{"cntrl", "Cc"},
    Name{"cf", "Cf"},
    Name{"format", "Cf"},
    Name{"co", "Co"},
    Name{"privateuse", "Co"},
    Name{"cs", "Cs"},
    Name{"surrogate", "Cs"},
    Name{"cn", "Cn"},
    Name{"unassigned", "Cn"},
    Name{"alpha", "Alphabetic"},
    Name{"alphabetic", "Alphabetic"},
    Name{"upper", "Uppercase"},
    Name{"lower", "Lowercase"},
};

static bool compiles(const std::string &pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  pcre2_code_free(code);
  return code != nullptr;
}

/// Sets that PCRE2 has no one property for: content, and content of the complement ("" if it is no
/// class).
static std::optional<std::pair<std::string, std::string>> namedSet(const std::string &name) {
  if (name == "space" || name == "whitespace")
    return {{whitespaceClass, notWhitespaceClass}};
  if (name == "word")
    return {{wordClass, ""}};
  if (name == "alnum")
    return {{"\\p{Alphabetic}\\p{Nd}", ""}};
  if (name == "blank")
    return {{"\\p{Zs}\\x{9}", ""}};
  if (name == "xdigit" || name == "asciihexdigit")
    return {{"0-9A-Fa-f", "\\x{0}-\\x{2F}\\x{3A}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10FFFF}"}};
  if (name == "ascii")
    return {{"\\x{0}-\\x{7F}", "\\x{80}-\\x{10FFFF}"}};
  if (name == "punct")
    return {{"\\p{P}\\p{S}", ""}};
  if (name == "any")
    return {{"\\x{0}-\\x{10FFFF}", ""}};
  if (name == "assigned")
    return {{"\\P{Cn}", "\\p{Cn}"}};
  return std::nullopt;
}

std::optional<std::string> translateProperty(std::string_view name, bool negated) {
  if (name.starts_with('^')) {
    negated = !negated;
    name.remove_prefix(1);
  }
  std::string key;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      key.push_back(char(std::tolower(static_cast<unsigned char>(c))));
    else if (c != ' ' && c != '_' && c != '-')
      return std::nullopt;
  }
  if (key.empty() || key.size() > 60)
    return std::nullopt;
  if (auto set = namedSet(key)) {
    const std::string &content = negated ? set->second : set->first;
    return content.empty() ? std::nullopt : std::optional(content);
  }
  const std::string open = negated ? "\\P{" : "\\p{";
  auto known = std::find_if(categories.begin(), categories.end(),
                            [&](const Name &n) { return key == n.name; });
  if (known != categories.end())
    return open + known->value + "}";
  // Scripts: bare names mean script extensions to PCRE2.
  for (const std::string &candidate : {"sc:" + key, key})
    if (compiles("\\p{" + candidate + "}"))
      return open + candidate + "}";
  return std::nullopt;
}

} // namespace qrt::text
