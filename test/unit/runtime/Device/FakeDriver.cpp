//===- FakeDriver.cpp - A libcuda.so.1 that returns every error ------------------------------===//
// Built as libcuda.so.1 into a folder of its own, for tests of the library that loads the driver.
// It stands on the host's memory: allocation, copies, fills and synchronisation work, launches do
// not exist. A captured graph is always the same chain: a copy, three kernels, a copy; its edges
// are kept, and qrtFakeEdges() shows them. QRT_FAKE_DRIVER says what fails, as
// "init=100,capability=70": the members of Behaviour.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <cuda.h>
#include <string>
#include <vector>

namespace {

struct Behaviour {
  long init = 0, version = CUDA_VERSION, devices = 1, capability = 90, retain = 0, alloc = 0,
       sync = 0, capture = 0, instantiate = 0, edges = 0;
  long free = 1L << 30;

  Behaviour() {
    const char *environment = std::getenv("QRT_FAKE_DRIVER");
    const std::string text = "," + std::string(environment ? environment : "") + ",";
    const std::pair<const char *, long *> members[] = {{"init", &init},
                                                       {"version", &version},
                                                       {"devices", &devices},
                                                       {"retain", &retain},
                                                       {"alloc", &alloc},
                                                       {"sync", &sync},
                                                       {"capture", &capture},
                                                       {"free", &free},
                                                       {"capability", &capability},
                                                       {"edges", &edges},
                                                       {"instantiate", &instantiate}};
    for (auto [name, value] : members)
      if (size_t at = text.find("," + std::string(name) + "="); at != std::string::npos)
        *value = std::strtol(text.c_str() + at + std::strlen(name) + 2, nullptr, 10);
  }
};

Behaviour &behaviour() {
  static Behaviour instance;
  return instance;
}

struct Edge {
  size_t from, to;
  CUgraphEdgeData data;
};
std::vector<Edge> edges;
constexpr size_t nodeCount = 5; // numbered from 1
CUgraphNode node(size_t number) { return reinterpret_cast<CUgraphNode>(number); }
size_t number(CUgraphNode node) { return reinterpret_cast<size_t>(node); }

CUresult result(long number) { return static_cast<CUresult>(number); }
int something; // what handles point to

} // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuInit(unsigned) { return result(behaviour().init); }
CUresult cuDriverGetVersion(int *version) {
  *version = int(behaviour().version);
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult error, const char **name) {
  *name = error == CUDA_ERROR_NO_DEVICE         ? "CUDA_ERROR_NO_DEVICE"
          : error == CUDA_ERROR_OUT_OF_MEMORY   ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == CUDA_ERROR_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                                                : nullptr;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
  *text = nullptr;
  return CUDA_ERROR_INVALID_VALUE;
}
CUresult cuDeviceGetCount(int *count) {
  *count = int(behaviour().devices);
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  std::strncpy(name, "Fake device", size_t(length));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = int(behaviour().capability / 10);
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = int(behaviour().capability % 10);
    return CUDA_SUCCESS;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = 4;
    return CUDA_SUCCESS;
  default:
    *value = 0;
    return CUDA_ERROR_INVALID_VALUE;
  }
}
CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
  *bytes = size_t(1) << 30;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice) {
  *context = reinterpret_cast<CUcontext>(&something);
  return result(behaviour().retain);
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuMemGetInfo(size_t *free, size_t *total) {
  *free = size_t(behaviour().free);
  *total = size_t(1) << 30;
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr *pointer, size_t bytes) {
  if (behaviour().alloc)
    return result(behaviour().alloc);
  *pointer = reinterpret_cast<CUdeviceptr>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemFree(CUdeviceptr pointer) {
  std::free(reinterpret_cast<void *>(pointer));
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned) {
  *pointer = std::malloc(bytes);
  return *pointer ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemFreeHost(void *pointer) {
  std::free(pointer);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream) {
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream) {
  std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char byte, size_t bytes, CUstream) {
  std::memset(reinterpret_cast<void *>(to), byte, bytes);
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream *stream, unsigned) {
  *stream = reinterpret_cast<CUstream>(&something);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream) { return result(behaviour().sync); }
CUresult cuStreamQuery(CUstream) { return result(behaviour().sync); }
CUresult cuStreamBeginCapture(CUstream, CUstreamCaptureMode) { return result(behaviour().capture); }
CUresult cuStreamEndCapture(CUstream, CUgraph *graph) {
  edges.clear();
  for (size_t i = 1; i < nodeCount; ++i)
    edges.push_back({i, i + 1, {}});
  *graph = reinterpret_cast<CUgraph>(&something);
  return CUDA_SUCCESS;
}
CUresult cuGraphNodeGetType(CUgraphNode node, CUgraphNodeType *type) {
  const bool copies = number(node) == 1 || number(node) == nodeCount;
  *type = copies ? CU_GRAPH_NODE_TYPE_MEMCPY : CU_GRAPH_NODE_TYPE_KERNEL;
  return CUDA_SUCCESS;
}
CUresult cuGraphGetEdges_v2(CUgraph, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data,
                            size_t *count) {
  if (from)
    for (size_t i = 0; i < *count && i < edges.size(); ++i) {
      from[i] = node(edges[i].from);
      to[i] = node(edges[i].to);
      data[i] = edges[i].data;
    }
  *count = edges.size();
  return CUDA_SUCCESS;
}
CUresult cuGraphRemoveDependencies_v2(CUgraph, const CUgraphNode *from, const CUgraphNode *to,
                                      const CUgraphEdgeData *data, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (std::erase_if(edges, [&](const Edge &e) {
          return e.from == number(from[i]) && e.to == number(to[i]) &&
                 std::memcmp(&e.data, &data[i], sizeof e.data) == 0;
        }) != 1)
      return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}
CUresult cuGraphAddDependencies_v2(CUgraph, const CUgraphNode *from, const CUgraphNode *to,
                                   const CUgraphEdgeData *data, size_t count) {
  if (behaviour().edges)
    return result(behaviour().edges);
  for (size_t i = 0; i < count; ++i)
    edges.push_back({number(from[i]), number(to[i]), data[i]});
  return CUDA_SUCCESS;
}
/// Reads QRT_FAKE_DRIVER again.
void qrtFakeReload() { behaviour() = Behaviour(); }
/// "1>2 2>3p": the edges in the order of their nodes, p for a programmatic one.
const char *qrtFakeEdges() {
  static std::string text;
  std::sort(edges.begin(), edges.end(),
            [](const Edge &a, const Edge &b) { return a.from < b.from; });
  text.clear();
  for (const Edge &e : edges) {
    const bool early = e.data.type == CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC &&
                       e.data.from_port == CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC;
    text += (text.empty() ? "" : " ") + std::to_string(e.from) + ">" + std::to_string(e.to) +
            (early ? "p" : "");
  }
  return text.c_str();
}
CUresult cuGraphInstantiate(CUgraphExec *executable, CUgraph, unsigned long long) {
  *executable = reinterpret_cast<CUgraphExec>(&something);
  return result(behaviour().instantiate);
}
CUresult cuGraphUpload(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphLaunch(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphDestroy(CUgraph) { return CUDA_SUCCESS; }
CUresult cuGraphExecDestroy(CUgraphExec) { return CUDA_SUCCESS; }

} // extern "C"
#pragma GCC visibility pop
