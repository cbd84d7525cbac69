//===- MarkerWords.cpp - Published word sets --------------------------------------------------===//
// default50   Table 8 of arXiv 2606.00206, appendix C
// nowait      arXiv 2506.08343; the paper expands it to every token that contains a keyword and
// filters
//             by hand, here it is expanded by spelling like every other set
// tip         switch words in the manner of arXiv 2501.18585
// reflection  reflection words in the manner of arXiv 2506.11077
#include "Reasoning/Markers.h"

namespace qrt {
namespace {

constexpr std::string_view default50[] = {
    "perhaps",   "maybe",         "wait",          "Wait",       "actually", "hold",      "Hmm",
    "hmm",       "Alternatively", "alternatively", "However",    "however",  "instead",   "Instead",
    "But",       "but",           "though",        "although",   "yet",      "rather",    "unless",
    "otherwise", "nonetheless",   "nevertheless",  "regardless", "still",    "anyway",    "Or",
    "or",        "either",        "whether",       "uncertain",  "unsure",   "possibly",  "might",
    "could",     "another",       "different",     "reconsider", "rethink",  "backtrack", "retry",
    "recheck",   "revisit",       "doubt",         "confused",   "wrong",    "mistake",   "error",
    "incorrect"};
static_assert(std::size(default50) == 50);
constexpr std::string_view nowait[] = {
    "wait",    "alternatively", "hmm",          "but", "however", "alternative",
    "another", "check",         "double-check", "oh",  "maybe",   "verify",
    "other",   "again",         "now",          "ah",  "any"};
constexpr std::string_view tip[] = {"alternatively", "another", "instead"};
constexpr std::string_view reflection[] = {"wait", "but", "alternatively"};

struct NamedSet {
  std::string_view name;
  std::span<const std::string_view> words;
};
constexpr NamedSet sets[] = {
    {"default50", default50}, {"nowait", nowait}, {"tip", tip}, {"reflection", reflection}};

} // namespace

std::span<const std::string_view> markerWordSet(std::string_view name) {
  for (const NamedSet &set : sets)
    if (set.name == name)
      return set.words;
  return {};
}

std::vector<std::string_view> markerWordSetNames() {
  std::vector<std::string_view> names;
  for (const NamedSet &set : sets)
    names.push_back(set.name);
  return names;
}

} // namespace qrt
