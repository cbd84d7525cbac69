//===- ProgrammaticEdges.cpp - Programmatic dependent launch in captured graphs --------------===//
// A captured decode step is a chain of some hundred short kernels; each costs its launch. With a
// programmatic edge the launch of the next one overlaps the end of the one before (CUDA's driver
// interface, graphs, "programmatic dependent launch"): the kernel's blocks start when the others'
// have, and wait before they touch memory. That needs kernels that wait, so only code for sm_90
// and later has such edges.
#include "Cuda/Context.h"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace qrt::cuda {

bool waitsInKernels(int32_t capability) {
  if (const char *off = std::getenv("QRT_CUDA_PDL"); off && std::string_view(off) == "0")
    return false;
  // "sm_80 sm_90": the newest that the device can run is what it runs.
  const std::string_view built = builtArchitectures();
  int newest = 0;
  for (size_t at = built.find("sm_"); at != std::string_view::npos; at = built.find("sm_", at + 3))
    if (const int number = std::atoi(built.data() + at + 3); number <= capability)
      newest = number > newest ? number : newest;
  return newest >= 90;
}

Code makeEdgesProgrammatic(const Driver &d, CUgraph graph) {
  size_t count = 0;
  if (Code code =
          check(d, d.graphGetEdges(graph, nullptr, nullptr, nullptr, &count), "cuGraphGetEdges");
      code != Code::Ok)
    return code;
  std::vector<CUgraphNode> from(count), to(count);
  std::vector<CUgraphEdgeData> data(count);
  if (Code code = check(d, d.graphGetEdges(graph, from.data(), to.data(), data.data(), &count),
                        "cuGraphGetEdges");
      code != Code::Ok)
    return code;
  auto isKernel = [&](CUgraphNode node, Code &code) {
    CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
    code = check(d, d.graphNodeGetType(node, &type), "cuGraphNodeGetType");
    return type == CU_GRAPH_NODE_TYPE_KERNEL;
  };
  for (size_t i = 0; i < count; ++i) {
    Code code = Code::Ok;
    const bool both = isKernel(from[i], code) && code == Code::Ok && isKernel(to[i], code);
    if (code != Code::Ok)
      return code;
    if (!both || data[i].type != CU_GRAPH_DEPENDENCY_TYPE_DEFAULT)
      continue;
    CUgraphEdgeData early = {};
    early.from_port = CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC;
    early.type = CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC;
    code = check(d, d.graphRemoveDependencies(graph, &from[i], &to[i], &data[i], 1),
                 "cuGraphRemoveDependencies");
    if (code == Code::Ok)
      code = check(d, d.graphAddDependencies(graph, &from[i], &to[i], &early, 1),
                   "cuGraphAddDependencies");
    if (code != Code::Ok)
      return code;
  }
  return Code::Ok;
}

} // namespace qrt::cuda
