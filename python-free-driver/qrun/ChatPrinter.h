//===- ChatPrinter.h - An answer on the terminal or in a pipe --------------------------------===//
// On a terminal the thinking is dim and the answer plain; elsewhere a line <think> stands before
// the thinking and a line </think> behind it. Control characters of the model do not reach a
// terminal.
#ifndef QRUN_CHATPRINTER_H
#define QRUN_CHATPRINTER_H

#include "Generation/Generator.h"

#include <string>
#include <string_view>

namespace qrt {

class ChatPrinter {
public:
  ChatPrinter(const ModelTexts &texts, bool terminal);

  /// Takes events of one answer; the first error of writing, as for everything below.
  Status add(const TokenEvent &event);
  /// Ends the answer's last line.
  Status finish();

private:
  Status show(std::string_view text, bool reasoning);
  Status write(std::string_view text);

  std::string open, close; ///< the model's tags
  bool terminal, dims;
  bool thinking = false, lineStart = true;
  bool leading = true; ///< only white space since the part began
};

} // namespace qrt

#endif // QRUN_CHATPRINTER_H
