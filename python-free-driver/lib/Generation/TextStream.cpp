//===- TextStream.cpp - The growing text of one request ---------------------------------------===//
#include "Generation/TextStream.h"

#include <algorithm>

namespace qrt {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Bytes of the character that begins with `first`, 0 if none does.
size_t characterLength(unsigned char first) {
  return first < 0x80   ? 1
         : first < 0xC2 ? 0
         : first < 0xE0 ? 2
         : first < 0xF0 ? 3
         : first < 0xF5 ? 4
                        : 0;
}

/// The second byte of a character is limited: no overlong forms, surrogates or values above 10FFFF.
bool mayFollow(unsigned char first, unsigned char second) {
  if ((second & 0xC0) != 0x80)
    return false;
  return !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second >= 0xA0) &&
         !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second >= 0x90);
}

/// The longest suffix of `text` that is a proper prefix of `pattern`.
size_t partialMatch(std::string_view text, std::string_view pattern) {
  if (pattern.empty())
    return 0;
  for (size_t n = std::min(text.size(), pattern.size() - 1); n > 0; --n)
    if (text.ends_with(pattern.substr(0, n)))
      return n;
  return 0;
}

} // namespace

void appendUtf8(std::string_view bytes, std::string &pending, std::string &out) {
  pending.append(bytes);
  size_t i = 0;
  while (i < pending.size()) {
    auto first = static_cast<unsigned char>(pending[i]);
    size_t length = characterLength(first), have = 1;
    while (have < length && i + have < pending.size()) {
      auto c = static_cast<unsigned char>(pending[i + have]);
      if (have == 1 ? !mayFollow(first, c) : (c & 0xC0) != 0x80)
        break;
      ++have;
    }
    if (length > 0 && have == length)
      out.append(pending, i, length);
    else if (length > 0 && i + have == pending.size())
      break; // incomplete, but good so far
    else
      out.append(replacement);
    i += have;
  }
  pending.erase(0, i);
}

TextStream::TextStream(std::shared_ptr<const Tokenizer> tokenizer, const ThinkTags *tags,
                       std::vector<std::string> stopStrings, bool thinking)
    : tokenizer(std::move(tokenizer)), tags(tags), stopStrings(std::move(stopStrings)),
      thinking(thinking) {
  if (tags && !tags->openId)
    openTag = tags->open;
  if (tags && !tags->closeId)
    closeTag = tags->close;
}

std::optional<std::string> TextStream::push(int32_t token, ThinkState::Event event) {
  marks.push_back({all.size(), {parts[0].size(), parts[1].size()}, pending, thinking});
  if (!tokenizer)
    return std::nullopt;
  const bool opens = event == ThinkState::Event::Opened,
             closes = event == ThinkState::Event::Closed;
  if ((opens && openTag.empty()) || (closes && closeTag.empty())) {
    all += pending.empty() ? "" : replacement;
    pending.clear();
    all += opens ? tags->open : tags->close;
    thinking = opens;
    return std::nullopt;
  }
  if (tokenizer->isSpecial(token))
    return std::nullopt;
  std::string &part = parts[thinking];
  const size_t before = part.size();
  std::string added;
  appendUtf8(tokenizer->tokenBytes(token), pending, added);
  all += added;
  part += added;
  if (event != ThinkState::Event::None) {
    // The tag's last byte is in this token; what is behind it belongs to the other part.
    const std::string &tag = opens ? openTag : closeTag;
    if (size_t at = part.rfind(tag); at != std::string::npos) {
      std::string rest = part.substr(at + tag.size());
      part.resize(at);
      parts[opens] += rest;
    }
    thinking = opens;
    return std::nullopt;
  }
  return cutAtStop(before);
}

std::optional<std::string> TextStream::cutAtStop(size_t before) {
  std::string &part = parts[thinking];
  size_t best = std::string::npos;
  std::string which;
  for (const std::string &stop : stopStrings) {
    size_t from = before >= stop.size() - 1 ? before - (stop.size() - 1) : 0;
    if (size_t at = part.find(stop, from); at < best) {
      best = at;
      which = stop;
    }
  }
  if (best == std::string::npos)
    return std::nullopt;
  all.resize(all.size() - (part.size() - best));
  part.resize(best);
  pending.clear();
  done = true;
  return which;
}

size_t TextStream::rollback(int64_t keep) {
  if (keep >= int64_t(marks.size()))
    return 0;
  const Mark &mark = marks[size_t(keep)];
  all.resize(mark.all);
  pending = mark.pending;
  thinking = mark.thinking;
  size_t taken = 0;
  for (int p = 0; p < 2; ++p) {
    parts[p].resize(std::min(parts[p].size(), mark.parts[p]));
    if (given[p] > parts[p].size()) {
      taken += given[p] - parts[p].size();
      given[p] = parts[p].size();
    }
  }
  marks.resize(size_t(keep));
  return taken;
}

void TextStream::finish() {
  if (!pending.empty()) {
    all += replacement;
    parts[thinking] += replacement;
    pending.clear();
  }
  done = true;
}

size_t TextStream::held(const std::string &part) const {
  if (done)
    return 0;
  size_t longest = 0;
  for (const std::string &stop : stopStrings)
    longest = std::max(longest, partialMatch(part, stop));
  return std::max(
      {longest, partialMatch(part, thinking ? closeTag : openTag), partialMatch(part, openTag)});
}

void TextStream::emit(const Sink &sink) {
  // The part that is not being written has no more to come; it was written before the other one.
  const int current = thinking;
  for (int p : {1 - current, current}) {
    size_t end = parts[p].size() - (p == current ? held(parts[p]) : 0);
    if (end > given[p]) {
      sink(std::string_view(parts[p]).substr(given[p], end - given[p]), p == 1);
      given[p] = end;
    }
  }
}

} // namespace qrt
