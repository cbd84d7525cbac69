//===- Processors.h - How many processors this process may use -------------------------------===//
// A container with a quota of two processors on a machine of 64 runs 64 threads thirty times slower
// than two: what the scheduler allows and what control groups pay for both count.
#ifndef QRT_SUPPORT_PROCESSORS_H
#define QRT_SUPPORT_PROCESSORS_H

#include <optional>
#include <string>

namespace qrt {

/// Processors in the affinity mask of the calling thread, no more than the CPU quota of its control
/// groups rounded up; at least 1.
int availableProcessors();

/// The smallest CPU quota, in processors, over a control group and all its parents; nothing if none
/// has one. `membership` is a file like /proc/self/cgroup, `root` the mount of the groups
/// (version 2, or version 1 with a folder "cpu").
std::optional<double> cpuQuota(const std::string &membership, const std::string &root);

} // namespace qrt

#endif // QRT_SUPPORT_PROCESSORS_H
