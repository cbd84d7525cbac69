//===- PreTokenizer.cpp - Pieces that the model encodes one by one ----------------------------===//
#include "Tokenizer/PreTokenizer.h"

#include "Tokenizer/ByteAlphabet.h"
#include "Tokenizer/Unicode.h"

namespace qrt::text {

static constexpr int maxDepth = 20;
/// GPT-2's split, which ByteLevel carries inside.
static constexpr const char *byteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
/// Whitespace's `\w+|[^\w\s]+`, with what Rust counts to words: joiners, no Latin-1 fractions.
static constexpr const char *wordsPattern =
    R"([\p{Alphabetic}\p{M}\d\p{Pc}\u200C\u200D]+|[^\p{Alphabetic}\p{M}\d\p{Pc}\u200C\u200D\s]+)";

void PieceList::split(const Pattern &pattern, SplitBehavior behavior, bool invert) {
  std::vector<Piece> result;
  result.reserve(pieces.size() * 2);
  std::vector<Match> stretches;
  for (const Piece &piece : pieces) {
    stretches.clear();
    pattern.findMatches(view(piece), stretches);
    if (invert)
      for (Match &stretch : stretches)
        stretch.isMatch = !stretch.isMatch;
    applyBehavior(stretches, behavior);
    for (const Match &stretch : stretches)
      if (stretch.end > stretch.begin)
        result.push_back({piece.begin + stretch.begin, piece.begin + stretch.end,
                          piece.atStart && stretch.begin == 0});
  }
  pieces = std::move(result);
}

Result<PreTokenizer> PreTokenizer::fromJson(const Json &json, const std::string &where) {
  PreTokenizer preTokenizer;
  if (!json.is_null())
    QRT_RETURN_IF_ERROR(preTokenizer.add(json, where, 0));
  return preTokenizer;
}

void PreTokenizer::apply(PieceList &list) const {
  for (const Step &step : steps)
    step(list);
}

void PreTokenizer::addSplit(Pattern pattern, SplitBehavior behavior, bool invert) {
  steps.push_back([pattern = std::move(pattern), behavior, invert](PieceList &list) {
    list.split(pattern, behavior, invert);
  });
}

/// Another step follows: it has to see the byte alphabet.
void PreTokenizer::finishBytes() {
  if (!bytesLast)
    return;
  bytesLast = false;
  steps.push_back([](PieceList &list) {
    list.rewrite(
        [](std::string_view piece, bool, std::string &out) { out.append(bytesToAlphabet(piece)); });
  });
}

Status PreTokenizer::addByteLevel(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(bool prefixSpace, fields.boolean("add_prefix_space"));
  QRT_ASSIGN_OR_RETURN(bool useRegex, fields.boolean("use_regex", true));
  if (prefixSpace)
    steps.push_back([](PieceList &list) {
      list.rewrite([](std::string_view piece, bool, std::string &out) {
        if (!piece.starts_with(' '))
          out.push_back(' ');
        out.append(piece);
      });
    });
  if (useRegex) {
    QRT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::regex(byteLevelPattern));
    addSplit(std::move(pattern), SplitBehavior::Isolated);
  }
  bytesLast = true;
  return Status::ok();
}

Status PreTokenizer::addMetaspace(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(std::string mark, fields.character("replacement"));
  QRT_ASSIGN_OR_RETURN(std::string scheme, fields.string("prepend_scheme", "always"));
  QRT_ASSIGN_OR_RETURN(bool splits, fields.boolean("split", true));
  QRT_ASSIGN_OR_RETURN(bool prefixSpace, fields.boolean("add_prefix_space", true));
  if (scheme != "always" && scheme != "first" && scheme != "never")
    return fields.invalid("'prepend_scheme' expects always, first or never");
  if (!prefixSpace)
    scheme = "never";
  bool always = scheme == "always", first = scheme == "first";
  steps.push_back([mark, always, first](PieceList &list) {
    list.rewrite([&](std::string_view piece, bool atStart, std::string &out) {
      if ((always || (first && atStart)) && !piece.starts_with(' ') && !piece.starts_with(mark))
        out.append(mark);
      for (char c : piece)
        if (c == ' ')
          out.append(mark);
        else
          out.push_back(c);
    });
  });
  if (splits)
    addSplit(Pattern::literal(mark), SplitBehavior::MergedWithNext);
  return Status::ok();
}

static Result<Pattern> delimiter(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(std::string character, fields.character("delimiter"));
  return Pattern::literal(std::move(character));
}

static void splitFixed(PieceList &list, size_t length) {
  std::vector<PieceList::Piece> result;
  for (const PieceList::Piece &piece : list.pieces) {
    std::string_view text = list.view(piece);
    for (size_t pos = 0; pos < text.size();) {
      size_t begin = pos;
      for (size_t i = 0; i < length && pos < text.size(); ++i)
        nextChar(text, pos);
      result.push_back({piece.begin + begin, piece.begin + pos, piece.atStart && begin == 0});
    }
  }
  list.pieces = std::move(result);
}

Status PreTokenizer::add(const Json &json, const std::string &where, int depth) {
  JsonFields fields(json, where);
  QRT_ASSIGN_OR_RETURN(std::string type, fields.type());
  if (type == "Sequence") {
    const Json *parts = fields.find("pretokenizers");
    if (!parts || !parts->is_array())
      return fields.invalid("'pretokenizers' expects an array");
    if (depth > maxDepth)
      return fields.invalid("sequences nest too deeply");
    for (size_t i = 0; i < parts->size(); ++i)
      QRT_RETURN_IF_ERROR(add((*parts)[i], where + "[" + std::to_string(i) + "]", depth + 1));
    return Status::ok();
  }
  finishBytes();
  if (type == "ByteLevel")
    return addByteLevel(fields);
  if (type == "Metaspace")
    return addMetaspace(fields);
  if (type == "Split") {
    QRT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::fromJson(fields, "pattern"));
    QRT_ASSIGN_OR_RETURN(SplitBehavior behavior, splitBehavior(fields, "behavior"));
    QRT_ASSIGN_OR_RETURN(bool invert, fields.boolean("invert"));
    addSplit(std::move(pattern), behavior, invert);
  } else if (type == "Digits") {
    QRT_ASSIGN_OR_RETURN(bool individual, fields.boolean("individual_digits"));
    addSplit(Pattern::characters(isNumeric),
             individual ? SplitBehavior::Isolated : SplitBehavior::Contiguous);
  } else if (type == "Punctuation") {
    QRT_ASSIGN_OR_RETURN(SplitBehavior behavior, splitBehavior(fields, "behavior", "Isolated"));
    addSplit(Pattern::characters(isPunctuation), behavior);
  } else if (type == "Whitespace") {
    QRT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::regex(wordsPattern));
    addSplit(std::move(pattern), SplitBehavior::Removed, true);
  } else if (type == "WhitespaceSplit") {
    addSplit(Pattern::characters(isWhitespace), SplitBehavior::Removed);
  } else if (type == "CharDelimiterSplit" || type == "Delimiter") {
    QRT_ASSIGN_OR_RETURN(Pattern pattern, delimiter(fields));
    addSplit(std::move(pattern), SplitBehavior::Removed);
  } else if (type == "BertPreTokenizer") {
    addSplit(Pattern::characters(isWhitespace), SplitBehavior::Removed);
    addSplit(Pattern::characters(isPunctuation), SplitBehavior::Isolated);
  } else if (type == "FixedLength") {
    QRT_ASSIGN_OR_RETURN(int64_t length, fields.count("length", 5));
    if (length == 0)
      return fields.invalid("'length' is 0");
    steps.push_back([length](PieceList &list) { splitFixed(list, size_t(length)); });
  } else {
    return fields.notSupported("pre-tokenizer '" + type + "' is not supported");
  }
  return Status::ok();
}

} // namespace qrt::text
