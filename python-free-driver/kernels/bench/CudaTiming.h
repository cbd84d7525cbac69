//===- CudaTiming.h - Time of launches in a graph ---------------------------------------------===//
#ifndef QRT_KERNELS_BENCH_CUDATIMING_H
#define QRT_KERNELS_BENCH_CUDATIMING_H

#include "Device/CudaDevice.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace qrt::bench {

struct Timing {
  double median = 0, spread = 0; ///< seconds per launch; half of the middle half
};

/// Times a graph of `launches` launches over `samples` replays; launch(i) enqueues the i-th.
template <class LaunchOne>
Result<Timing> timeGraph(CudaDevice &device, int64_t launches, int64_t samples, LaunchOne launch) {
  constexpr int64_t warmUps = 3;
  QRT_RETURN_IF_ERROR(launch(0)); // loads the kernel
  QRT_RETURN_IF_ERROR(device.synchronize());
  QRT_RETURN_IF_ERROR(device.beginCapture());
  Status recorded;
  for (int64_t i = 0; i < launches && recorded; ++i)
    recorded = launch(i);
  auto graph = device.endCapture();
  QRT_RETURN_IF_ERROR(recorded);
  QRT_RETURN_IF_ERROR(graph.status());
  std::vector<double> seconds;
  for (int64_t i = -warmUps; i < samples; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    QRT_RETURN_IF_ERROR(device.launchGraph(*graph));
    QRT_RETURN_IF_ERROR(device.synchronize());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (i >= 0)
      seconds.push_back(took.count() / double(launches));
  }
  std::sort(seconds.begin(), seconds.end());
  const size_t n = seconds.size();
  return Timing{seconds[n / 2], (seconds[n * 3 / 4] - seconds[n / 4]) / 2};
}

} // namespace qrt::bench

#endif // QRT_KERNELS_BENCH_CUDATIMING_H
