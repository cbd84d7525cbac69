//===- Interrupt.h - Ctrl-C as a Status ------------------------------------------------------===//
// The first SIGINT or SIGTERM asks for a clean stop: loops that take long ask checkInterrupt() and
// return its error (exit code 130), so that temporary files are removed. The second one ends the
// process as usual. SIGPIPE is ignored: writes report EPIPE.
// Thread safety: all functions may be called from any thread.
#ifndef QRUN_INTERRUPT_H
#define QRUN_INTERRUPT_H

#include "qrt/Status.h"

namespace qrt {

void installSignalHandlers();
/// Interrupted if a signal came.
Status checkInterrupt();
bool interruptRequested();
/// Forgets a signal that was dealt with (chat: Ctrl-C ends an answer, not the program).
void clearInterrupt();

} // namespace qrt

#endif // QRUN_INTERRUPT_H
