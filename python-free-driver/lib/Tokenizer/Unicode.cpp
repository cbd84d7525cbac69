//===- Unicode.cpp - UTF-8, character classes and normal forms --------------------------------===//
#include "Tokenizer/Unicode.h"

#include <algorithm>
#include <cstdint>
#include <utf8proc.h>
#include <vector>

namespace qrt::text {

static constexpr const char *replacement = "\xEF\xBF\xBD";

char32_t nextChar(std::string_view text, size_t &pos) {
  unsigned char lead = static_cast<unsigned char>(text[pos]);
  size_t length = sequenceLength(lead);
  char32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
  for (size_t i = 1; i < length && pos + i < text.size(); ++i)
    c = c << 6 | (static_cast<unsigned char>(text[pos + i]) & 0x3F);
  pos = std::min(pos + length, text.size());
  return c;
}

void appendUtf8(std::string &text, char32_t c) {
  utf8proc_uint8_t bytes[4];
  text.append(reinterpret_cast<char *>(bytes), size_t(utf8proc_encode_char(int32_t(c), bytes)));
}

namespace {
enum class Sequence { Valid, Broken, Incomplete };
struct Step {
  Sequence kind;
  size_t length; // of the sequence, or of what is broken or there so far
};
} // namespace

/// The sequence at `pos`, by table 3-7 of the Unicode standard.
static Step classify(std::string_view bytes, size_t pos) {
  auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  unsigned char lead = at(pos);
  if (lead < 0x80)
    return {Sequence::Valid, 1};
  if (lead < 0xC2 || lead > 0xF4)
    return {Sequence::Broken, 1};
  size_t length = sequenceLength(lead);
  for (size_t i = 1; i < length; ++i) {
    if (pos + i >= bytes.size())
      return {Sequence::Incomplete, i};
    unsigned char low = 0x80, high = 0xBF;
    if (i == 1) {
      low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
      high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    }
    if (at(pos + i) < low || at(pos + i) > high)
      return {Sequence::Broken, i};
  }
  return {Sequence::Valid, length};
}

bool isValidUtf8(std::string_view bytes) {
  for (size_t pos = 0; pos < bytes.size();) {
    Step step = classify(bytes, pos);
    if (step.kind != Sequence::Valid)
      return false;
    pos += step.length;
  }
  return true;
}

void Utf8Repair::push(std::string_view bytes, std::string &out) {
  std::string joined;
  if (!pending.empty()) {
    joined = std::move(pending);
    pending.clear();
    bytes = joined.append(bytes);
  }
  size_t good = 0; // start of the valid bytes that are not out yet
  for (size_t pos = 0; pos < bytes.size();) {
    Step step = classify(bytes, pos);
    if (step.kind == Sequence::Valid) {
      pos += step.length;
      continue;
    }
    out.append(bytes.substr(good, pos - good));
    if (step.kind == Sequence::Incomplete) {
      pending = bytes.substr(pos);
      return;
    }
    out.append(replacement);
    good = pos += step.length;
  }
  out.append(bytes.substr(good));
}

void Utf8Repair::finish(std::string &out) {
  if (!pending.empty())
    out.append(replacement);
  pending.clear();
}

static utf8proc_category_t category(char32_t c) { return utf8proc_category(int32_t(c)); }

bool isWhitespace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool isNumeric(char32_t c) {
  if (c < 0x80)
    return c >= '0' && c <= '9';
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO;
}

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return c > 0x20 && c < 0x7F && !(c >= '0' && c <= '9') &&
           !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

bool isMark(char32_t c) {
  utf8proc_category_t k = category(c);
  return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
}

bool isNonspacingMark(char32_t c) { return category(c) == UTF8PROC_CATEGORY_MN; }

bool isControl(char32_t c) {
  utf8proc_category_t k = category(c);
  return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
}

void appendLower(std::string &text, char32_t c) {
  if (c < 0x80)
    text.push_back(c >= 'A' && c <= 'Z' ? char(c + 32) : char(c));
  else if (c == 0x130) // the one character whose lower case is two
    text.append("i\xCC\x87");
  else
    appendUtf8(text, char32_t(utf8proc_tolower(int32_t(c))));
}

static int combiningClass(int32_t c) { return utf8proc_get_property(c)->combining_class; }

/// Canonical order. The library's own loop is quadratic in the length of a run of marks.
static void orderMarks(std::vector<int32_t> &chars) {
  for (size_t i = 0; i < chars.size();) {
    if (combiningClass(chars[i]) == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < chars.size() && combiningClass(chars[end]) != 0)
      ++end;
    std::stable_sort(chars.begin() + ptrdiff_t(i), chars.begin() + ptrdiff_t(end),
                     [](int32_t a, int32_t b) { return combiningClass(a) < combiningClass(b); });
    i = end;
  }
}

static void normalizeRun(std::string_view run, NormalForm form, std::string &out) {
  int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  if (form == NormalForm::KC || form == NormalForm::KD)
    options |= UTF8PROC_COMPAT;
  std::vector<int32_t> chars;
  chars.reserve(run.size());
  for (size_t pos = 0; pos < run.size();) {
    int32_t parts[32]; // the longest decomposition has 18
    int boundary = 0;
    int32_t c = int32_t(nextChar(run, pos));
    utf8proc_ssize_t n =
        utf8proc_decompose_char(c, parts, 32, utf8proc_option_t(options), &boundary);
    if (n < 0 || n > 32)
      chars.push_back(c);
    else
      chars.insert(chars.end(), parts, parts + n);
  }
  orderMarks(chars);
  size_t length = chars.size();
  if (form == NormalForm::C || form == NormalForm::KC) {
    utf8proc_ssize_t composed =
        utf8proc_normalize_utf32(chars.data(), utf8proc_ssize_t(length),
                                 utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (composed >= 0)
      length = size_t(composed);
  }
  for (size_t i = 0; i < length; ++i)
    appendUtf8(out, char32_t(chars[i]));
}

std::string normalize(std::string_view valid, NormalForm form) {
  // Characters below this never change, nor does one before another of them: U+0300 for NFC, ASCII
  // for the others.
  unsigned char stable = form == NormalForm::C ? 0xCC : 0x80;
  auto isStable = [&](size_t i) { return static_cast<unsigned char>(valid[i]) < stable; };
  std::string out;
  out.reserve(valid.size());
  for (size_t pos = 0; pos < valid.size();) {
    size_t end = pos;
    while (end < valid.size() && isStable(end))
      ++end;
    if (end == valid.size()) {
      out.append(valid.substr(pos));
      break;
    }
    // The last stable character may combine with what follows.
    size_t last = end;
    if (last > pos)
      for (--last; last > pos && (static_cast<unsigned char>(valid[last]) & 0xC0) == 0x80;)
        --last;
    out.append(valid.substr(pos, last - pos));
    // A run ends before a stable character that is followed by another one.
    size_t stop = end;
    while (stop < valid.size() && !isStable(stop))
      stop += sequenceLength(static_cast<unsigned char>(valid[stop]));
    normalizeRun(valid.substr(last, stop - last), form, out);
    pos = stop;
  }
  return out;
}

} // namespace qrt::text
