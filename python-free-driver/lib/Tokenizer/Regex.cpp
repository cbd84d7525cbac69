//===- Regex.cpp - Regular expressions of tokenizers ------------------------------------------===//
#include "Tokenizer/Regex.h"

#include "Tokenizer/RegexSyntax.h"
#include "Tokenizer/Unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace qrt::text {

// A text of 1 MB needs at most a few million steps of any pattern that advances.
static constexpr uint32_t matchLimit = 50'000'000;
static constexpr uint32_t heapLimitKiB = 512 * 1024;
static constexpr size_t jitStackBytes = 8 << 20;

struct Regex::Code {
  pcre2_code *code = nullptr;
  bool jit = false;
  ~Code() { pcre2_code_free(code); }
};

namespace {

/// What one thread needs to match, made once per thread: the JIT's stack is large.
class Workspace {
public:
  Workspace()
      : data(pcre2_match_data_create(32, nullptr)), context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 << 10, jitStackBytes, nullptr)) {
    if (!context)
      return;
    pcre2_set_match_limit(context, matchLimit);
    pcre2_set_heap_limit(context, heapLimitKiB);
    if (stack)
      pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Workspace() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (stack)
      pcre2_jit_stack_free(stack);
  }
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;

  pcre2_match_data *data;
  pcre2_match_context *context;
  pcre2_jit_stack *stack;
};

} // namespace

static Workspace &workspace() {
  static thread_local Workspace workspace;
  return workspace;
}

Regex::Regex(std::unique_ptr<Code> code) : code(std::move(code)) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern) {
  QRT_ASSIGN_OR_RETURN(std::string translated, translateRegex(pattern));
  pcre2_compile_context *context = pcre2_compile_context_create(nullptr);
  if (!context)
    return resourceExhausted("no memory for a regular expression");
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto compiled = std::make_unique<Code>();
  compiled->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                                 &error, &offset, context);
  pcre2_compile_context_free(context);
  if (!compiled->code) {
    PCRE2_UCHAR message[160];
    if (pcre2_get_error_message(error, message, sizeof message) < 0)
      message[0] = 0;
    return unsupported("regular expression '" + std::string(pattern.substr(0, 200)) +
                       "': " + reinterpret_cast<char *>(message));
  }
  compiled->jit = pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE) == 0;
  return std::shared_ptr<const Regex>(new Regex(std::move(compiled)));
}

void Regex::findMatches(std::string_view valid, std::vector<Match> &out) const {
  if (valid.empty()) {
    out.push_back({0, 0, false});
    return;
  }
  Workspace &space = workspace();
  auto subject = reinterpret_cast<PCRE2_SPTR>(valid.data());
  const size_t never = size_t(-1);
  size_t previous = 0, from = 0, lastEnd = never;
  while (from <= valid.size() && space.data && space.context) {
    int found = PCRE2_ERROR_JIT_STACKLIMIT;
    if (code->jit)
      found = pcre2_jit_match(code->code, subject, valid.size(), from, PCRE2_NO_UTF_CHECK,
                              space.data, space.context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) // the interpreter keeps its frames on the heap
      found = pcre2_match(code->code, subject, valid.size(), from,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, space.data, space.context);
    if (found < 0)
      break;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(space.data);
    size_t begin = ends[0], end = ends[1];
    if (begin > end || begin < from)
      break;
    if (begin == end && end == lastEnd) {
      from += from < valid.size() ? sequenceLength(static_cast<unsigned char>(valid[from])) : 1;
      continue;
    }
    from = lastEnd = end;
    if (previous != begin)
      out.push_back({previous, begin, false});
    out.push_back({begin, end, true});
    previous = end;
  }
  if (previous != valid.size())
    out.push_back({previous, valid.size(), false});
}

} // namespace qrt::text
