//===- ChatPrinter.cpp - An answer on the terminal or in a pipe ------------------------------===//
#include "ChatPrinter.h"

#include "Output.h"

#include <cstdlib>

namespace qrt {

static bool wantsColour() {
  const char *none = std::getenv("NO_COLOR"), *term = std::getenv("TERM");
  return !(none && *none) && !(term && std::string_view(term) == "dumb");
}

ChatPrinter::ChatPrinter(const ModelTexts &texts, bool terminal)
    : open(texts.thinkTags ? texts.thinkTags->open : ""),
      close(texts.thinkTags ? texts.thinkTags->close : ""), terminal(terminal),
      dims(terminal && wantsColour()) {}

Status ChatPrinter::write(std::string_view text) {
  if (text.empty())
    return Status::ok();
  lineStart = text.back() == '\n';
  if (!terminal)
    return writeOutput(text);
  std::string safe;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F)
      safe += "\uFFFD";
    else
      safe += c;
  }
  return writeOutput(safe);
}

Status ChatPrinter::show(std::string_view text, bool reasoning) {
  if (reasoning != thinking) {
    if (!lineStart)
      QRT_RETURN_IF_ERROR(write("\n"));
    if (dims)
      QRT_RETURN_IF_ERROR(writeOutput(reasoning ? "\033[2m" : "\033[0m"));
    else
      QRT_RETURN_IF_ERROR(write((reasoning ? open : close) + "\n"));
    thinking = reasoning;
    leading = true;
  }
  if (leading) { // the line ends between tag and text are shown by the layout
    text.remove_prefix(std::min(text.find_first_not_of(" \n\r\t"), text.size()));
    leading = text.empty();
  }
  return write(text);
}

Status ChatPrinter::add(const TokenEvent &event) {
  if (event.retractBytes > 0) {
    if (!lineStart)
      QRT_RETURN_IF_ERROR(write("\n"));
    QRT_RETURN_IF_ERROR(
        write("[the last " + std::to_string(event.retractTokens) + " tokens were taken back]\n"));
  }
  return event.text.empty() ? Status::ok() : show(event.text, event.reasoning);
}

Status ChatPrinter::finish() {
  if (!lineStart)
    QRT_RETURN_IF_ERROR(write("\n"));
  if (thinking && dims)
    QRT_RETURN_IF_ERROR(writeOutput("\033[0m"));
  thinking = false;
  lineStart = leading = true;
  return Status::ok();
}

} // namespace qrt
