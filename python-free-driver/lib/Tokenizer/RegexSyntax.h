//===- RegexSyntax.h - Ruby regular expressions as PCRE2 ones ---------------------------------===//
// tokenizer.json files are written for Oniguruma with its Ruby syntax. Most patterns mean the same
// to PCRE2, but not all of it: `\s`, `\w`, `\h`, `\v`, script names, `^` and `$`, `(?m)`, a `+`
// behind
// `{n,m}`, `{,n}`, nested classes and `&&`. This rewrites a pattern so that PCRE2 (UTF, UCP,
// MULTILINE, newline LF) finds what Oniguruma finds.
// Errors: InvalidModel for a pattern that is malformed, Unsupported for a construct that has no
// exact translation, both with the construct's text and byte offset. Nesting is limited. Source:
// Oniguruma 6.9 doc/RE, doc/SYNTAX.md; pcre2pattern(3). Thread safety: a free function without
// state.
#ifndef QRT_TOKENIZER_REGEXSYNTAX_H
#define QRT_TOKENIZER_REGEXSYNTAX_H

#include "qrt/Status.h"

#include <optional>
#include <string>
#include <string_view>

namespace qrt::text {

/// `pattern`: valid UTF-8.
Result<std::string> translateRegex(std::string_view pattern);

/// What stands between `[` and `]` for `\p{name}`, or nothing if the name is unknown. "^name" and
/// `negated` (`\P`) both negate.
std::optional<std::string> translateProperty(std::string_view name, bool negated);

/// Content of a PCRE2 class for White_Space and for everything else.
extern const char *const whitespaceClass;
extern const char *const notWhitespaceClass;
/// Content of a PCRE2 class for the characters of words.
extern const char *const wordClass;

} // namespace qrt::text

#endif // QRT_TOKENIZER_REGEXSYNTAX_H
