//===- LargePages.h - Large allocations of qopt -----------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_LARGEPAGES_H
#define QOPT_TOOLS_QOPT_LARGEPAGES_H

/// From now on, large blocks that are freed go back to the system.
void keepNoFreedMemory();

#endif // QOPT_TOOLS_QOPT_LARGEPAGES_H
