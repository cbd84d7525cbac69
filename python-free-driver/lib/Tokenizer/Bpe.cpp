//===- Bpe.cpp - Byte pair encoding -----------------------------------------------------------===//
// Sennrich et al. 2016, as the tokenizers library runs it: characters first, then the pair of the
// lowest rank, the leftmost of equal ones, until no pair is left. Merges wait in a priority queue
// and symbols form a linked list, so a word of n characters takes O(n log n).
#include "Tokenizer/MergeTable.h"
#include "Tokenizer/TokenModel.h"
#include "Tokenizer/Unicode.h"

#include <cstdio>
#include <queue>

namespace qrt::text {

static constexpr std::string_view spaceMark = "\u2581"; // of SentencePiece

namespace {

struct Symbol {
  int32_t id;
  int32_t previous, next; // -1: none
};

struct Candidate {
  uint32_t rank;
  int32_t position;
  int32_t id;
};
struct Later {
  bool operator()(const Candidate &a, const Candidate &b) const {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
};

class Bpe final : public TokenModel {
public:
  Bpe(Vocabulary vocab, MergeTable merges)
      : TokenModel(std::move(vocab)), merges(std::move(merges)) {}
  Status configure(const JsonFields &fields);
  /// Words can be cut at the mark if it is a token (an unknown one could fuse with its neighbours)
  /// and nothing depends on where a piece ends.
  void allowSeam() {
    if (vocab.find(spaceMark) && prefix.empty() && suffix.empty() && !ignoreMerges)
      seamMark = spaceMark;
  }
  void encode(std::string_view piece, std::vector<int32_t> &ids) const override;

private:
  void appendSymbols(std::string_view piece, std::vector<int32_t> &symbols) const;
  bool appendBytes(std::string_view character, std::vector<int32_t> &symbols) const;
  void merge(std::vector<int32_t> &symbols) const;

  MergeTable merges;
  std::string prefix, suffix;
  std::optional<int32_t> unknown;
  bool fuseUnknown = false, byteFallback = false, ignoreMerges = false;
  std::vector<int32_t> byteIds; // of <0x00> ... <0xFF>, -1 where there is none
};

} // namespace

Status Bpe::configure(const JsonFields &fields) {
  if (const Json *dropout = fields.find("dropout"))
    if (!dropout->is_number() || dropout->get<double>() != 0)
      return fields.notSupported("'dropout' makes encoding random; only null is supported");
  QRT_ASSIGN_OR_RETURN(prefix, fields.string("continuing_subword_prefix", ""));
  QRT_ASSIGN_OR_RETURN(suffix, fields.string("end_of_word_suffix", ""));
  QRT_ASSIGN_OR_RETURN(fuseUnknown, fields.boolean("fuse_unk", false));
  QRT_ASSIGN_OR_RETURN(byteFallback, fields.boolean("byte_fallback", false));
  QRT_ASSIGN_OR_RETURN(ignoreMerges, fields.boolean("ignore_merges", false));
  if (fields.find("unk_token")) {
    QRT_ASSIGN_OR_RETURN(std::string name, fields.string("unk_token"));
    unknown = vocab.find(name); // absent: characters without a token are dropped
  }
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", unsigned(byte));
    byteIds.push_back(vocab.find(name).value_or(-1));
  }
  return Status::ok();
}

bool Bpe::appendBytes(std::string_view character, std::vector<int32_t> &symbols) const {
  for (unsigned char byte : character)
    if (byteIds[byte] < 0)
      return false;
  for (unsigned char byte : character)
    symbols.push_back(byteIds[byte]);
  return true;
}

/// One symbol per character. An unknown one waits until a known one follows, because several of
/// them may become one; bytes of a fallback do not end the wait (nor do they in the library).
void Bpe::appendSymbols(std::string_view piece, std::vector<int32_t> &symbols) const {
  bool waiting = false;
  auto flush = [&] {
    if (waiting)
      symbols.push_back(*unknown);
    waiting = false;
  };
  std::string decorated;
  for (size_t pos = 0; pos < piece.size();) {
    size_t begin = pos;
    pos = std::min(piece.size(), pos + sequenceLength(static_cast<unsigned char>(piece[pos])));
    std::string_view character = piece.substr(begin, pos - begin);
    bool hasPrefix = begin > 0 && !prefix.empty(),
         hasSuffix = pos == piece.size() && !suffix.empty();
    if (hasPrefix || hasSuffix) {
      decorated.assign(hasPrefix ? prefix : "").append(character).append(hasSuffix ? suffix : "");
      character = decorated;
    }
    if (auto id = vocab.find(character)) {
      flush();
      symbols.push_back(*id);
    } else if (byteFallback && appendBytes(character, symbols)) {
      continue;
    } else if (unknown) {
      if (!fuseUnknown)
        flush();
      waiting = true;
    }
  }
  flush();
}

void Bpe::merge(std::vector<int32_t> &ids) const {
  if (ids.size() < 2)
    return;
  std::vector<Symbol> symbols(ids.size());
  std::priority_queue<Candidate, std::vector<Candidate>, Later> queue;
  const int32_t count = int32_t(ids.size());
  std::vector<Candidate> start;
  for (int32_t i = 0; i < count; ++i) {
    symbols[size_t(i)] = {ids[size_t(i)], i - 1, i + 1 < count ? i + 1 : -1};
    if (i + 1 < count)
      if (const auto *m = merges.find(ids[size_t(i)], ids[size_t(i) + 1]))
        start.push_back({m->rank, i, m->id});
  }
  queue = decltype(queue)(Later(), std::move(start));
  auto consider = [&](int32_t left, int32_t right) {
    if (const auto *m = merges.find(symbols[size_t(left)].id, symbols[size_t(right)].id))
      queue.push({m->rank, left, m->id});
  };
  while (!queue.empty()) {
    Candidate best = queue.top();
    queue.pop();
    Symbol &left = symbols[size_t(best.position)];
    if (left.id < 0 || left.next < 0)
      continue; // merged away, or the last one by now
    Symbol &right = symbols[size_t(left.next)];
    const auto *m = merges.find(left.id, right.id);
    if (!m || m->id != best.id)
      continue; // one of the two has changed since
    left.id = best.id;
    right.id = -1;
    left.next = right.next;
    if (right.next >= 0)
      symbols[size_t(right.next)].previous = best.position;
    if (left.previous >= 0)
      consider(left.previous, best.position);
    if (left.next >= 0)
      consider(best.position, left.next);
  }
  ids.clear();
  for (int32_t i = 0; i >= 0; i = symbols[size_t(i)].next)
    ids.push_back(symbols[size_t(i)].id);
}

void Bpe::encode(std::string_view piece, std::vector<int32_t> &ids) const {
  if (ignoreMerges)
    if (auto id = vocab.find(piece)) {
      ids.push_back(*id);
      return;
    }
  std::vector<int32_t> symbols;
  symbols.reserve(piece.size());
  appendSymbols(piece, symbols);
  merge(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

/// A merge as its two sides: `["a", "b"]` or "a b".
static bool splitMerge(const Json &entry, std::string_view &left, std::string_view &right) {
  if (entry.is_array()) {
    if (entry.size() != 2 || !entry[0].is_string() || !entry[1].is_string())
      return false;
    left = entry[0].get_ref<const std::string &>();
    right = entry[1].get_ref<const std::string &>();
    return true;
  }
  if (!entry.is_string())
    return false;
  std::string_view text = entry.get_ref<const std::string &>();
  size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
    return false;
  left = text.substr(0, space);
  right = text.substr(space + 1);
  return true;
}

/// `hasSeam` becomes false if a merge joins something to a following mark.
static Result<MergeTable> parseMerges(const JsonFields &fields, const Vocabulary &vocab,
                                      bool &hasSeam) {
  const Json *list = fields.find("merges");
  if (!list || !list->is_array())
    return fields.invalid("'merges' expects an array");
  QRT_ASSIGN_OR_RETURN(std::string prefix, fields.string("continuing_subword_prefix", ""));
  MergeTable table(list->size());
  std::string whole;
  uint32_t rank = 0;
  for (size_t i = 0; i < list->size(); ++i) {
    const Json &entry = (*list)[i];
    if (entry.is_string() && entry.get_ref<const std::string &>().starts_with("#version"))
      continue;
    std::string_view left, right;
    auto wrong = [&](const std::string &what) {
      return fields.invalid("merges[" + std::to_string(i) + "]: " + what);
    };
    if (!splitMerge(entry, left, right))
      return wrong("expects two strings");
    if (right.size() < prefix.size())
      return wrong("shorter than 'continuing_subword_prefix'");
    whole.assign(left).append(right.substr(prefix.size()));
    auto leftId = vocab.find(left), rightId = vocab.find(right), wholeId = vocab.find(whole);
    if (!leftId || !rightId || !wholeId)
      return wrong("'" +
                   std::string(!leftId    ? left
                               : !rightId ? right
                                          : whole) +
                   "' is not in the vocabulary");
    if (right.starts_with(spaceMark) && !left.ends_with(spaceMark))
      hasSeam = false;
    table.insert(*leftId, *rightId, {rank++, *wholeId});
  }
  return table;
}

Result<std::unique_ptr<TokenModel>> parseBpe(const JsonFields &fields) {
  const Json *entries = fields.find("vocab");
  if (!entries)
    return fields.invalid("'vocab' is missing");
  QRT_ASSIGN_OR_RETURN(Vocabulary vocab,
                       Vocabulary::fromJson(*entries, fields.place() + ": vocab"));
  bool hasSeam = true;
  QRT_ASSIGN_OR_RETURN(MergeTable merges, parseMerges(fields, vocab, hasSeam));
  auto model = std::make_unique<Bpe>(std::move(vocab), std::move(merges));
  QRT_RETURN_IF_ERROR(model->configure(fields));
  if (hasSeam)
    model->allowSeam();
  return std::unique_ptr<TokenModel>(std::move(model));
}

} // namespace qrt::text
