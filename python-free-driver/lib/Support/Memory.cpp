//===- Memory.cpp - How much memory is free --------------------------------------------------===//
#include "Support/Memory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <unistd.h>

namespace qrt {

static std::optional<int64_t> readNumber(const std::string &path) {
  std::ifstream in(path);
  int64_t value;
  if (in >> value && value >= 0) // "max" fails to parse, as it should
    return value;
  return std::nullopt;
}

/// The number behind `key` in files of "key value" lines ("MemAvailable:  123 kB").
static std::optional<int64_t> readKey(const std::string &path, const std::string &key) {
  std::ifstream in(path);
  std::string word;
  while (in >> word) {
    int64_t value;
    if (word == key && in >> value)
      return value;
    in.ignore(1 << 16, '\n');
  }
  return std::nullopt;
}

/// What one control group leaves: limit - usage + page cache that can be dropped.
static std::optional<int64_t> groupLeft(const std::string &folder, const char *limitName,
                                        const char *usageName, const std::string &prefix) {
  auto limit = readNumber(folder + "/" + limitName);
  auto usage = readNumber(folder + "/" + usageName);
  if (!limit || !usage)
    return std::nullopt;
  const std::string stat = folder + "/memory.stat";
  int64_t cache = readKey(stat, prefix + "inactive_file").value_or(0) +
                  readKey(stat, prefix + "active_file").value_or(0);
  return std::max<int64_t>(0, *limit - *usage + std::min(cache, *usage));
}

/// The smallest remainder over this process's group and all its parents.
static int64_t controlGroupLeft() {
  int64_t left = INT64_MAX;
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    bool v2 = controllers.empty();
    if (!v2 && controllers.find("memory") == std::string::npos)
      continue;
    std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    while (true) {
      if (path == "/")
        path.clear();
      auto here =
          v2 ? groupLeft(root + path, "memory.max", "memory.current", "")
             : groupLeft(root + path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_");
      if (here)
        left = std::min(left, *here);
      if (path.empty())
        break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return left;
}

int64_t availableMemory() {
  int64_t left = INT64_MAX;
  if (auto kib = readKey("/proc/meminfo", "MemAvailable:"))
    left = *kib * 1024;
  left = std::min(left, controlGroupLeft());
  if (const char *forced = std::getenv("QRT_FREE_MEMORY")) {
    char *end = nullptr;
    long long bytes = std::strtoll(forced, &end, 10);
    if (end != forced && *end == '\0' && bytes >= 0)
      left = std::min<int64_t>(left, bytes);
  }
  return left;
}

int64_t residentMemory() {
  std::ifstream in("/proc/self/statm");
  int64_t total = 0, resident = 0, shared = 0;
  if (!(in >> total >> resident >> shared))
    return 0;
  return (resident - shared) * sysconf(_SC_PAGESIZE);
}

std::string formatBytes(int64_t bytes) {
  char text[40];
  const char *units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    std::snprintf(text, sizeof text, "%" PRId64 " bytes", bytes);
    return text;
  }
  double value = static_cast<double>(bytes) / 1024;
  int unit = 0;
  while (value >= 1024 && unit < 5)
    value /= 1024, ++unit;
  std::snprintf(text, sizeof text, "%.*f %s", value < 10 ? 2 : 1, value, units[unit]);
  return text;
}

} // namespace qrt
