//===- DecodeStages.cpp - The stages that decoders are made of --------------------------------===//
#include "Tokenizer/DecodeStages.h"

#include "Tokenizer/ByteAlphabet.h"
#include "Tokenizer/Unicode.h"

#include <algorithm>

namespace qrt::text {

std::optional<unsigned char> byteOfSpelling(std::string_view spelling) {
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling[5] != '>')
    return std::nullopt;
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  if (spelling[3] == '+' && digit(spelling[4]) >= 0) // Rust's parser of numbers takes a sign
    return static_cast<unsigned char>(digit(spelling[4]));
  if (digit(spelling[3]) < 0 || digit(spelling[4]) < 0)
    return std::nullopt;
  return static_cast<unsigned char>(digit(spelling[3]) * 16 + digit(spelling[4]));
}

std::string replaceText(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t pos = 0;
  for (size_t at; (at = text.find(from, pos)) != std::string_view::npos; pos = at + from.size())
    out.append(text.substr(pos, at - pos)).append(to);
  return out.append(text.substr(pos));
}

std::string cleanupSpaces(std::string text) {
  static constexpr std::pair<const char *, const char *> rules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto &[from, to] : rules)
    text = replaceText(text, from, to);
  return text;
}

namespace {

class Stage : public TokenSink {
public:
  explicit Stage(TokenSink &next) : next(next) {}
  void endToken() override { next.endToken(); }
  void finish() override { next.finish(); }

protected:
  void pass(std::string_view token) {
    next.text(token);
    next.endToken();
  }
  TokenSink &next;
};

/// Collects a token before it looks at it.
class WholeTokenStage : public Stage {
public:
  using Stage::Stage;
  void text(std::string_view fragment) override { token.append(fragment); }
  void endToken() override {
    take(token);
    token.clear();
  }

protected:
  virtual void take(std::string &token) = 0;

private:
  std::string token;
};

class ByteLevelStage final : public WholeTokenStage {
public:
  using WholeTokenStage::WholeTokenStage;
  void finish() override {
    std::string rest;
    repair.finish(rest);
    pass(rest);
    next.finish();
  }

private:
  void take(std::string &token) override {
    std::string text;
    repair.push(alphabetToBytes(token).value_or(token), text);
    next.text(text);
  }
  Utf8Repair repair;
};

/// A run of byte tokens is text only if all of it is UTF-8, so nothing of it is certain before its
/// end.
class ByteFallbackStage final : public WholeTokenStage {
public:
  using WholeTokenStage::WholeTokenStage;
  void finish() override {
    flush();
    next.finish();
  }

private:
  void take(std::string &token) override {
    if (auto byte = byteOfSpelling(token)) {
      run.push_back(char(*byte));
      return;
    }
    flush();
    pass(token);
  }
  void flush() {
    if (run.empty())
      return;
    if (isValidUtf8(run))
      pass(run);
    else
      for (size_t i = 0; i < run.size(); ++i)
        pass("\xEF\xBF\xBD");
    run.clear();
  }
  std::string run;
};

class FuseStage final : public Stage {
public:
  using Stage::Stage;
  void text(std::string_view fragment) override { next.text(fragment); }
  void endToken() override {}
  void finish() override {
    next.endToken();
    next.finish();
  }
};

/// Drops up to `start` and `stop` copies of a character from the ends of each token.
class StripStage final : public Stage {
public:
  StripStage(TokenSink &next, std::string character, int64_t start, int64_t stop)
      : Stage(next), character(std::move(character)), start(start), stop(stop), skip(start) {}
  void text(std::string_view fragment) override {
    std::string out;
    for (size_t pos = 0; pos < fragment.size();) {
      size_t begin = pos;
      pos = std::min(fragment.size(),
                     pos + sequenceLength(static_cast<unsigned char>(fragment[pos])));
      std::string_view c = fragment.substr(begin, pos - begin);
      bool same = c == character;
      if (same && skip > 0) {
        --skip;
        continue;
      }
      skip = 0;
      if (same && held < stop) {
        ++held;
        continue;
      }
      if (!same)
        release(out);
      out.append(c); // the stop counts from the end: one of a longer run is out for certain
    }
    next.text(out);
  }
  void endToken() override {
    held = 0;
    skip = start;
    next.endToken();
  }

private:
  void release(std::string &out) {
    for (; held > 0; --held)
      out.append(character);
  }
  std::string character;
  int64_t start, stop, skip, held = 0;
};

class ReplaceStage final : public Stage {
public:
  ReplaceStage(TokenSink &next, Pattern pattern, std::string content)
      : Stage(next), pattern(std::move(pattern)), content(std::move(content)) {}
  void text(std::string_view fragment) override {
    pending.append(fragment);
    const std::string *literal = pattern.literalText();
    if (!literal)
      return; // what an expression matches may depend on all that follows
    size_t pos = 0;
    std::string out;
    for (size_t at; (at = pending.find(*literal, pos)) != std::string::npos;
         pos = at + literal->size())
      out.append(pending, pos, at - pos).append(content);
    // The end may be the start of an occurrence.
    size_t keep = std::min(literal->size() - 1, pending.size() - pos);
    while (keep > 0 &&
           !literal->starts_with(std::string_view(pending).substr(pending.size() - keep)))
      --keep;
    out.append(pending, pos, pending.size() - keep - pos);
    pending.erase(0, pending.size() - keep);
    next.text(out);
  }
  void endToken() override {
    next.text(pattern.literalText() || pending.empty() ? pending
                                                       : pattern.replaceAll(pending, content));
    pending.clear();
    next.endToken();
  }

private:
  Pattern pattern;
  std::string content, pending;
};

class MetaspaceStage final : public WholeTokenStage {
public:
  MetaspaceStage(TokenSink &next, std::string mark, bool dropsFirst)
      : WholeTokenStage(next), mark(std::move(mark)), drop(dropsFirst) {}

private:
  void take(std::string &token) override {
    pass(replaceText(token, mark, drop ? "" : " "));
    drop = false;
  }
  std::string mark;
  bool drop; // the marks of the first token
};

/// The end of a word becomes a space, except that of the last token.
class BpeSuffixStage final : public WholeTokenStage {
public:
  BpeSuffixStage(TokenSink &next, std::string suffix)
      : WholeTokenStage(next), suffix(std::move(suffix)) {}
  void finish() override {
    if (waiting)
      pass(replaceText(last, suffix, ""));
    next.finish();
  }

private:
  void take(std::string &token) override {
    if (waiting)
      pass(replaceText(last, suffix, " "));
    last = token;
    waiting = true;
  }
  std::string suffix, last;
  bool waiting = false;
};

class WordPieceStage final : public WholeTokenStage {
public:
  WordPieceStage(TokenSink &next, std::string prefix, bool cleanup)
      : WholeTokenStage(next), prefix(std::move(prefix)), cleanup(cleanup) {}

private:
  void take(std::string &token) override {
    std::string text = token;
    if (!first && token.starts_with(prefix))
      text.erase(0, prefix.size());
    else if (!first)
      text.insert(0, " ");
    first = false;
    pass(cleanup ? cleanupSpaces(std::move(text)) : text);
  }
  std::string prefix;
  bool cleanup, first = true;
};

class JoinStage final : public TokenSink {
public:
  JoinStage(std::string &out, std::string separator) : out(out), separator(std::move(separator)) {}
  void text(std::string_view fragment) override {
    if (between)
      out.append(separator);
    between = false;
    out.append(fragment);
  }
  void endToken() override {
    text(""); // an empty token has its separator too
    between = true;
  }
  void finish() override {}

private:
  std::string &out;
  std::string separator;
  bool between = false;
};

} // namespace

std::unique_ptr<TokenSink> byteLevelStage(TokenSink &next) {
  return std::make_unique<ByteLevelStage>(next);
}
std::unique_ptr<TokenSink> byteFallbackStage(TokenSink &next) {
  return std::make_unique<ByteFallbackStage>(next);
}
std::unique_ptr<TokenSink> fuseStage(TokenSink &next) { return std::make_unique<FuseStage>(next); }
std::unique_ptr<TokenSink> stripStage(TokenSink &next, std::string character, int64_t start,
                                      int64_t stop) {
  return std::make_unique<StripStage>(next, std::move(character), start, stop);
}
std::unique_ptr<TokenSink> replaceStage(TokenSink &next, Pattern pattern, std::string content) {
  return std::make_unique<ReplaceStage>(next, std::move(pattern), std::move(content));
}
std::unique_ptr<TokenSink> metaspaceStage(TokenSink &next, std::string mark, bool dropsFirst) {
  return std::make_unique<MetaspaceStage>(next, std::move(mark), dropsFirst);
}
std::unique_ptr<TokenSink> bpeSuffixStage(TokenSink &next, std::string suffix) {
  return std::make_unique<BpeSuffixStage>(next, std::move(suffix));
}
std::unique_ptr<TokenSink> wordPieceStage(TokenSink &next, std::string prefix, bool cleanup) {
  return std::make_unique<WordPieceStage>(next, std::move(prefix), cleanup);
}
std::unique_ptr<TokenSink> joinStage(std::string &out, std::string separator) {
  return std::make_unique<JoinStage>(out, std::move(separator));
}

} // namespace qrt::text
