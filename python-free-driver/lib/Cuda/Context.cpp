//===- Context.cpp - Memory, copies and graphs of one device ---------------------------------===//
#include "Cuda/Context.h"

#include <cuda_runtime_api.h>

namespace qrt::cuda {

/// The context must be current for every call, launches of the CUDA runtime included, in whatever
/// thread the caller is.
static Code enter(Context *context) {
  return check(*context->driver, context->driver->ctxSetCurrent(context->handle),
               "cuCtxSetCurrent");
}

static CUdeviceptr address(const void *pointer) { return reinterpret_cast<CUdeviceptr>(pointer); }

static Code launchInfo(Context *context, Launch *launch) {
  *launch = context->launch;
  return enter(context);
}

static Code freeMemory(Context *context, int64_t *freeBytes, int64_t *totalBytes) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  size_t free = 0, total = 0;
  Code code = check(*context->driver, context->driver->memGetInfo(&free, &total), "cuMemGetInfo");
  *freeBytes = int64_t(free);
  *totalBytes = int64_t(total);
  return code;
}

static Code allocate(Context *context, int64_t bytes, void **pointer) {
  *pointer = nullptr;
  if (Code code = enter(context); code != Code::Ok)
    return code;
  CUdeviceptr memory = 0;
  Code code = check(*context->driver, context->driver->memAlloc(&memory, size_t(bytes)),
                    ("cuMemAlloc of " + std::to_string(bytes) + " bytes").c_str());
  if (code == Code::Ok)
    *pointer = reinterpret_cast<void *>(memory);
  return code;
}

static void release(Context *context, void *pointer) {
  if (pointer && enter(context) == Code::Ok)
    context->driver->memFree(address(pointer));
}

static Code allocatePinned(Context *context, int64_t bytes, void **pointer) {
  *pointer = nullptr;
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(*context->driver,
               context->driver->memHostAlloc(pointer, size_t(bytes), CU_MEMHOSTALLOC_DEVICEMAP),
               ("cuMemHostAlloc of " + std::to_string(bytes) + " bytes").c_str());
}

static void releasePinned(Context *context, void *pointer) {
  if (pointer && enter(context) == Code::Ok)
    context->driver->memFreeHost(pointer);
}

static Code copyToDevice(Context *context, void *device, const void *host, int64_t bytes) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(
      *context->driver,
      context->driver->memcpyToDevice(address(device), host, size_t(bytes), context->stream),
      "cuMemcpyHtoDAsync");
}

static Code copyToHost(Context *context, void *host, const void *device, int64_t bytes) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(*context->driver,
               context->driver->memcpyToHost(host, address(device), size_t(bytes), context->stream),
               "cuMemcpyDtoHAsync");
}

static Code fillMemory(Context *context, void *device, uint8_t byte, int64_t bytes) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(*context->driver,
               context->driver->memset(address(device), byte, size_t(bytes), context->stream),
               "cuMemsetD8Async");
}

static Code synchronize(Context *context) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(*context->driver, context->driver->streamSynchronize(context->stream),
               "cuStreamSynchronize");
}

static Code query(Context *context, int32_t *idle) {
  *idle = 0;
  if (Code code = enter(context); code != Code::Ok)
    return code;
  const CUresult result = context->driver->streamQuery(context->stream);
  if (result == CUDA_ERROR_NOT_READY)
    return Code::Ok;
  *idle = 1;
  return check(*context->driver, result, "cuStreamQuery");
}

static Code beginCapture(Context *context) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(
      *context->driver,
      context->driver->streamBeginCapture(context->stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
      "cuStreamBeginCapture");
}

static Code endCapture(Context *context, Graph **out) {
  *out = nullptr;
  if (Code code = enter(context); code != Code::Ok)
    return code;
  const Driver &d = *context->driver;
  CUgraph captured = nullptr;
  if (Code code = check(d, d.streamEndCapture(context->stream, &captured), "cuStreamEndCapture");
      code != Code::Ok)
    return code;
  if (!captured)
    return fail(Code::Failed, "cuStreamEndCapture: the capture was invalidated");
  Graph graph;
  Code code = context->programmatic ? makeEdgesProgrammatic(d, captured) : Code::Ok;
  if (code == Code::Ok)
    code = check(d, d.graphInstantiate(&graph.executable, captured, 0), "cuGraphInstantiate");
  d.graphDestroy(captured);
  if (code != Code::Ok)
    return code;
  if (code = check(d, d.graphUpload(graph.executable, context->stream), "cuGraphUpload");
      code != Code::Ok) {
    d.graphExecDestroy(graph.executable);
    return code;
  }
  *out = new Graph(graph);
  return Code::Ok;
}

static Code launchGraph(Context *context, Graph *graph) {
  if (Code code = enter(context); code != Code::Ok)
    return code;
  return check(*context->driver, context->driver->graphLaunch(graph->executable, context->stream),
               "cuGraphLaunch");
}

static void destroyGraph(Context *context, Graph *graph) {
  if (!graph)
    return;
  if (enter(context) == Code::Ok)
    context->driver->graphExecDestroy(graph->executable);
  delete graph;
}

static Code checkLaunch(Context *context, int result, const char *what) {
  if (result == 0)
    return Code::Ok;
  const auto error = static_cast<cudaError_t>(result);
  // The numbers of sticky errors are the same in both interfaces.
  return check(*context->driver, static_cast<CUresult>(result), what) == Code::Lost
             ? Code::Lost
             : fail(Code::Failed, std::string(what) + ": " + cudaGetErrorName(error) + " (" +
                                      std::to_string(result) + "): " + cudaGetErrorString(error));
}

void fillContextFunctions(Table &table) {
  table.open = openContext;
  table.close = closeContext;
  table.launchInfo = launchInfo;
  table.freeMemory = freeMemory;
  table.allocate = allocate;
  table.release = release;
  table.allocatePinned = allocatePinned;
  table.releasePinned = releasePinned;
  table.copyToDevice = copyToDevice;
  table.copyToHost = copyToHost;
  table.fill = fillMemory;
  table.synchronize = synchronize;
  table.query = query;
  table.beginCapture = beginCapture;
  table.endCapture = endCapture;
  table.launchGraph = launchGraph;
  table.destroyGraph = destroyGraph;
  table.checkLaunch = checkLaunch;
}

} // namespace qrt::cuda
