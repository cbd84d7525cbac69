//===- Processors.cpp - How many processors this process may use -----------------------------===//
#include "Support/Processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <thread>

namespace qrt {

/// Quota over period; nothing for "max", -1 and files that are not there.
static std::optional<double> ratio(std::istream &&quota, std::istream &&period) {
  double allowed = 0, of = 0;
  if (quota >> allowed && period >> of && allowed > 0 && of > 0)
    return allowed / of;
  return std::nullopt;
}

static std::optional<double> groupQuota(const std::string &folder, bool v2) {
  if (!v2)
    return ratio(std::ifstream(folder + "/cpu.cfs_quota_us"),
                 std::ifstream(folder + "/cpu.cfs_period_us"));
  std::ifstream period(folder + "/cpu.max"); // "QUOTA PERIOD"
  std::string skipped;
  period >> skipped;
  return ratio(std::ifstream(folder + "/cpu.max"), std::move(period));
}

std::optional<double> cpuQuota(const std::string &membership, const std::string &root) {
  std::optional<double> smallest;
  std::ifstream in(membership);
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v2 = controllers == ",,";
    if (!v2 && controllers.find(",cpu,") == std::string::npos)
      continue;
    std::string path = line.substr(second + 1);
    while (true) {
      if (path == "/")
        path.clear();
      if (auto here = groupQuota(root + (v2 ? "" : "/cpu") + path, v2))
        smallest = std::min(smallest.value_or(*here), *here);
      if (path.empty())
        break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return smallest;
}

int availableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    count = std::max(1, CPU_COUNT(&set));
  if (auto quota = cpuQuota("/proc/self/cgroup", "/sys/fs/cgroup"); quota && *quota < count)
    count = std::max(1, static_cast<int>(std::ceil(*quota)));
  return count;
}

} // namespace qrt
