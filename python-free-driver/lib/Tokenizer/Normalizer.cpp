//===- Normalizer.cpp - What a text becomes before it is split --------------------------------===//
#include "Tokenizer/Normalizer.h"

#include "Tokenizer/ByteAlphabet.h"
#include "Tokenizer/Pattern.h"
#include "Tokenizer/Unicode.h"

namespace qrt::text {

static constexpr int maxDepth = 20;

Result<Normalizer> Normalizer::fromJson(const Json &json, const std::string &where) {
  Normalizer normalizer;
  if (!json.is_null())
    QRT_RETURN_IF_ERROR(normalizer.add(json, where, 0));
  return normalizer;
}

void Normalizer::apply(NormalizedText &text) const {
  for (const Step &step : steps)
    step(text);
}

/// Rewrites character by character; a first character that vanishes takes the start with it.
template <class F>
static void mapChars(NormalizedText &text, F &&appendMapped) {
  std::string out;
  out.reserve(text.text.size());
  for (size_t pos = 0; pos < text.text.size();) {
    bool first = pos == 0;
    char32_t c = nextChar(text.text, pos);
    appendMapped(out, c);
    if (first && out.empty())
      text.atStart = false;
  }
  text.text = std::move(out);
}

template <class F>
static void removeIf(NormalizedText &text, F &&drop) {
  mapChars(text, [&](std::string &out, char32_t c) {
    if (!drop(c))
      appendUtf8(out, c);
  });
}

static void strip(NormalizedText &text, bool left, bool right) {
  size_t begin = 0, end = text.text.size(), lastKept = 0;
  bool seen = false;
  for (size_t pos = 0; pos < text.text.size();) {
    size_t at = pos;
    if (isWhitespace(nextChar(text.text, pos)))
      continue;
    if (!seen)
      begin = at;
    seen = true;
    lastKept = pos;
  }
  if (!seen)
    begin = left ? text.text.size() : 0;
  if (!left)
    begin = 0;
  if (right)
    end = std::max(begin, lastKept);
  if (begin > 0)
    text.atStart = false;
  text.text = text.text.substr(begin, end - begin);
}

static void lower(NormalizedText &text) { mapChars(text, appendLower); }

/// The Nmt normalizer of SentencePiece: drops control characters, makes spaces of others.
static bool nmtDrops(char32_t c) {
  return (c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
         c == 0x9F;
}
static bool nmtSpaces(char32_t c) {
  return c == 9 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
         c == 0xFFFD;
}

static bool isChinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

static void cleanText(NormalizedText &text) {
  mapChars(text, [](std::string &out, char32_t c) {
    bool layout = c == '\t' || c == '\n' || c == '\r';
    if (c == 0 || c == 0xFFFD || (!layout && isControl(c)))
      return;
    if (isWhitespace(c))
      out.push_back(' ');
    else
      appendUtf8(out, c);
  });
}

Status Normalizer::addBert(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(bool clean, fields.boolean("clean_text", true));
  QRT_ASSIGN_OR_RETURN(bool chinese, fields.boolean("handle_chinese_chars", true));
  QRT_ASSIGN_OR_RETURN(bool lowercase, fields.boolean("lowercase", true));
  QRT_ASSIGN_OR_RETURN(bool accents, fields.boolean("strip_accents", lowercase));
  if (clean)
    steps.push_back(cleanText);
  if (chinese)
    steps.push_back([](NormalizedText &text) {
      mapChars(text, [](std::string &out, char32_t c) {
        bool spaced = isChinese(c);
        out.append(spaced ? " " : "");
        appendUtf8(out, c);
        out.append(spaced ? " " : "");
      });
    });
  if (accents)
    steps.push_back([](NormalizedText &text) {
      text.text = normalize(text.text, NormalForm::D);
      removeIf(text, isNonspacingMark);
    });
  if (lowercase)
    steps.push_back(lower);
  return Status::ok();
}

Status Normalizer::addReplace(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::fromJson(fields, "pattern"));
  QRT_ASSIGN_OR_RETURN(std::string content, fields.string("content"));
  steps.push_back([pattern, content](NormalizedText &text) {
    if (text.text.empty())
      return;
    if (content.empty()) {
      std::vector<Match> stretches;
      pattern.findMatches(text.text, stretches);
      if (stretches[0].isMatch && stretches[0].end > 0)
        text.atStart = false;
    }
    text.text = pattern.replaceAll(text.text, content);
  });
  return Status::ok();
}

Status Normalizer::add(const Json &json, const std::string &where, int depth) {
  JsonFields fields(json, where);
  QRT_ASSIGN_OR_RETURN(std::string type, fields.type());
  if (type == "Sequence") {
    const Json *parts = fields.find("normalizers");
    if (!parts || !parts->is_array())
      return fields.invalid("'normalizers' expects an array");
    if (depth > maxDepth)
      return fields.invalid("sequences nest too deeply");
    for (size_t i = 0; i < parts->size(); ++i)
      QRT_RETURN_IF_ERROR(add((*parts)[i], where + "[" + std::to_string(i) + "]", depth + 1));
    return Status::ok();
  }
  static constexpr std::pair<const char *, NormalForm> forms[] = {{"NFC", NormalForm::C},
                                                                  {"NFD", NormalForm::D},
                                                                  {"NFKC", NormalForm::KC},
                                                                  {"NFKD", NormalForm::KD}};
  for (const auto &[name, form] : forms)
    if (type == name) {
      steps.push_back(
          [form = form](NormalizedText &text) { text.text = normalize(text.text, form); });
      return Status::ok();
    }
  if (type == "Lowercase") {
    steps.push_back(lower);
  } else if (type == "StripAccents") {
    steps.push_back([](NormalizedText &text) { removeIf(text, isMark); });
  } else if (type == "Strip") {
    QRT_ASSIGN_OR_RETURN(bool left, fields.boolean("strip_left"));
    QRT_ASSIGN_OR_RETURN(bool right, fields.boolean("strip_right"));
    steps.push_back([left, right](NormalizedText &text) { strip(text, left, right); });
  } else if (type == "Prepend") {
    QRT_ASSIGN_OR_RETURN(std::string prefix, fields.string("prepend"));
    steps.push_back([prefix](NormalizedText &text) {
      if (!text.text.empty())
        text.text.insert(0, prefix);
    });
  } else if (type == "ByteLevel") {
    steps.push_back([](NormalizedText &text) { text.text = bytesToAlphabet(text.text); });
  } else if (type == "Nmt") {
    steps.push_back([](NormalizedText &text) {
      removeIf(text, nmtDrops);
      mapChars(text, [](std::string &out, char32_t c) { appendUtf8(out, nmtSpaces(c) ? ' ' : c); });
    });
  } else if (type == "Replace") {
    return addReplace(fields);
  } else if (type == "BertNormalizer" || type == "Bert") {
    return addBert(fields);
  } else {
    return fields.notSupported("normalizer '" + type + "' is not supported");
  }
  return Status::ok();
}

} // namespace qrt::text
