//===- EmulatedDevice.cpp - The table of a device that is emulated on the CPU ----------------===//
// For tests: a library like libqrt_cuda.so whose device memory is the process's and whose kernels
// are the same sources, run by the emulator (kernels/cuda/emulator). Memory begins as 0xFF bytes
// (NaN), and a guard behind each allocation is checked when the device is synchronised, so that a
// read of what was never written or a write past the end shows. A capture records launches, copies
// and fills with their arguments as they were, like a graph. Work waits as on a stream that is far
// behind: a synchronisation runs it all, a query the first of it, so pinned memory that is written
// too early or read too early shows.
// QRT_EMULATED_DEVICE="memory=BYTES,seed=N,capability=N,check=1".
#include "Cuda/OpTable.h"
#include "kernels/cuda/emulator/Stream.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace qrt::cuda {

using Work = std::function<int()>;

struct Graph {
  std::vector<Work> work;
};

namespace {

struct Settings {
  long memory = 64L << 20, seed = 0, capability = 90, check = 0;

  Settings() {
    const char *environment = std::getenv("QRT_EMULATED_DEVICE");
    const std::string text = "," + std::string(environment ? environment : "") + ",";
    const std::pair<const char *, long *> members[] = {
        {"memory", &memory}, {"seed", &seed}, {"capability", &capability}, {"check", &check}};
    for (auto [name, value] : members)
      if (size_t at = text.find("," + std::string(name) + "="); at != std::string::npos)
        *value = std::strtol(text.c_str() + at + std::strlen(name) + 2, nullptr, 10);
  }
};

constexpr int64_t guardBytes = 256;
constexpr uint8_t poison = 0xFF, guard = 0xA5;

thread_local std::string errorWords;

Code fail(Code code, std::string words) {
  errorWords = std::move(words);
  return code;
}

} // namespace

struct Context {
  Settings settings;
  emulator::Stream stream;
  std::map<char *, int64_t> memory;
  std::map<char *, int64_t> pinned;
  std::deque<Work> waiting;
  int64_t waitingBytes = 0; ///< that queued copies hold
  int64_t used = 0;
  std::vector<Work> *capture = nullptr;
  std::vector<Work> captured;
  bool lost = false;
};

namespace {

const char *lastError() { return errorWords.c_str(); }

Code probe(DriverInfo *info, int32_t *count) {
  *info = {};
  *count = 1;
  return Code::Ok;
}

Code deviceInfo(int32_t device, DeviceInfo *info) {
  *info = {};
  if (device != 0)
    return fail(Code::NoSuchDevice, "device " + std::to_string(device) + " of 1");
  const Settings settings;
  std::strcpy(info->name, "emulated on the CPU");
  info->capability = int32_t(settings.capability);
  info->multiprocessors = 4;
  info->totalBytes = settings.memory;
  info->sharedBytesPerBlock = // as devices of that capability have
      (info->capability >= 90   ? 227
       : info->capability == 80 ? 163
                                : 99)
      << 10;
  info->usable = info->emulated = 1;
  return Code::Ok;
}

Code open(int32_t device, Context **out) {
  DeviceInfo info;
  if (Code code = deviceInfo(device, &info); code != Code::Ok)
    return code;
  *out = new Context;
  (*out)->stream.options.seed = uint64_t((*out)->settings.seed);
  (*out)->stream.options.checkShared = (*out)->settings.check != 0;
  (*out)->stream.record = [context = *out](Work work) {
    if (context->capture)
      context->capture->push_back(std::move(work));
    else
      context->waiting.push_back(std::move(work));
  };
  return Code::Ok;
}

void close(Context *context) {
  for (auto [pointer, bytes] : context->memory)
    std::free(pointer);
  for (auto [pointer, bytes] : context->pinned)
    std::free(pointer);
  delete context;
}

Code launchInfo(Context *context, Launch *launch) {
  DeviceInfo info;
  deviceInfo(0, &info);
  *launch = {};
  launch->stream = &context->stream;
  launch->capability = info.capability;
  launch->multiprocessors = info.multiprocessors;
  launch->sharedBytesPerBlock = info.sharedBytesPerBlock;
  return Code::Ok;
}

Code freeMemory(Context *context, int64_t *free, int64_t *total) {
  *total = context->settings.memory;
  *free = *total - context->used;
  return Code::Ok;
}

Code allocate(Context *context, int64_t bytes, void **out) {
  if (bytes > context->settings.memory - context->used)
    return fail(Code::OutOfMemory, "the emulated device has " +
                                       std::to_string(context->settings.memory - context->used) +
                                       " bytes left");
  const int64_t whole = (bytes + 255) / 256 * 256 + guardBytes;
  auto *pointer = static_cast<char *>(std::aligned_alloc(256, size_t(whole)));
  if (!pointer)
    return fail(Code::OutOfMemory, "the system refused " + std::to_string(bytes) + " bytes");
  std::memset(pointer, poison, size_t(bytes));
  std::memset(pointer + bytes, guard, size_t(whole - bytes));
  context->memory[pointer] = bytes;
  context->used += bytes;
  *out = pointer;
  return Code::Ok;
}

bool guardHolds(const char *pointer, int64_t bytes) {
  const int64_t whole = (bytes + 255) / 256 * 256 + guardBytes;
  for (int64_t i = bytes; i < whole; ++i)
    if (uint8_t(pointer[i]) != guard)
      return false;
  return true;
}

Code allocatePinned(Context *context, int64_t bytes, void **out) {
  *out = std::malloc(size_t(bytes));
  if (!*out)
    return fail(Code::OutOfMemory, "pinned memory");
  std::memset(*out, poison, size_t(bytes));
  context->pinned[static_cast<char *>(*out)] = bytes;
  return Code::Ok;
}

/// Is [pointer, pointer + bytes) inside one of the pieces?
bool isInside(const std::map<char *, int64_t> &pieces, const void *pointer, int64_t bytes) {
  auto it = pieces.upper_bound(static_cast<char *>(const_cast<void *>(pointer)));
  if (it == pieces.begin())
    return false;
  --it;
  return static_cast<const char *>(pointer) + bytes <= it->first + it->second;
}
bool known(const Context &context, const void *device, int64_t bytes) {
  return isInside(context.memory, device, bytes);
}

Code enqueue(Context *context, Work work) {
  context->stream.record(std::move(work));
  return Code::Ok;
}

/// Runs at most so many pieces of what waits; an error is in the stream.
void runWaiting(Context *context, size_t most) {
  while (!context->waiting.empty() && most-- > 0) {
    Work work = std::move(context->waiting.front());
    context->waiting.pop_front();
    if (context->stream.error.empty())
      work();
  }
  if (context->waiting.empty())
    context->waitingBytes = 0;
}

void release(Context *context, void *pointer) {
  auto it = context->memory.find(static_cast<char *>(pointer));
  if (it == context->memory.end())
    return;
  runWaiting(context, SIZE_MAX);
  context->used -= it->second;
  context->memory.erase(it);
  std::free(pointer);
}

void releasePinned(Context *context, void *pointer) {
  runWaiting(context, SIZE_MAX); // it may read or write there
  if (context->pinned.erase(static_cast<char *>(pointer)))
    std::free(pointer);
}

/// What a synchronisation finds.
Code found(Context *context) {
  if (!context->stream.error.empty())
    return fail(Code::Lost, context->stream.error);
  for (auto [pointer, bytes] : context->memory)
    if (!guardHolds(pointer, bytes))
      return fail(Code::Lost, "a kernel wrote behind the end of an allocation of " +
                                  std::to_string(bytes) + " bytes");
  return Code::Ok;
}

Code copyToDevice(Context *context, void *device, const void *host, int64_t bytes) {
  if (!known(*context, device, bytes))
    return fail(Code::Failed, "a copy to memory that is not the device's");
  if (isInside(context->pinned, host, bytes))
    return enqueue(context, [=] { return std::memcpy(device, host, size_t(bytes)), 0; });
  if (context->capture)
    return fail(Code::Failed, "a copy from memory that is not pinned, in a capture");
  std::string data(static_cast<const char *>(host), size_t(bytes));
  enqueue(context, [device, data] { return std::memcpy(device, data.data(), data.size()), 0; });
  context->waitingBytes += bytes;
  if (context->waitingBytes > 16 << 20)
    runWaiting(context, SIZE_MAX);
  return Code::Ok;
}

Code copyToHost(Context *context, void *host, const void *device, int64_t bytes) {
  if (!known(*context, device, bytes))
    return fail(Code::Failed, "a copy from memory that is not the device's");
  const bool pinned = isInside(context->pinned, host, bytes);
  if (!pinned && context->capture)
    return fail(Code::Failed, "a copy to memory that is not pinned, in a capture");
  enqueue(context, [=] { return std::memcpy(host, device, size_t(bytes)), 0; });
  if (!pinned)
    runWaiting(context, SIZE_MAX);
  return Code::Ok;
}

Code fillMemory(Context *context, void *device, uint8_t byte, int64_t bytes) {
  if (!known(*context, device, bytes))
    return fail(Code::Failed, "a fill of memory that is not the device's");
  return enqueue(context, [=] { return std::memset(device, byte, size_t(bytes)), 0; });
}

Code synchronize(Context *context) {
  if (context->capture)
    return fail(Code::Failed, "synchronize during a capture");
  runWaiting(context, SIZE_MAX);
  return found(context);
}

Code query(Context *context, int32_t *idle) {
  runWaiting(context, 1);
  *idle = context->waiting.empty();
  return *idle || !context->stream.error.empty() ? found(context) : Code::Ok;
}

Code beginCapture(Context *context) {
  if (context->capture)
    return fail(Code::Failed, "a capture within a capture");
  context->captured.clear();
  context->capture = &context->captured;
  return Code::Ok;
}

Code endCapture(Context *context, Graph **graph) {
  *graph = nullptr;
  if (!context->capture)
    return fail(Code::Failed, "no capture to end");
  context->capture = nullptr;
  *graph = new Graph{std::move(context->captured)};
  return Code::Ok;
}

Code launchGraph(Context *context, Graph *graph) {
  for (const Work &work : graph->work)
    enqueue(context, work);
  return Code::Ok;
}

void destroyGraph(Context *context, Graph *graph) {
  runWaiting(context, SIZE_MAX);
  delete graph;
}

Code checkLaunch(Context *context, int result, const char *what) {
  if (result == 0)
    return Code::Ok;
  if (!context->stream.error.empty())
    return fail(Code::Lost, std::string(what) + ": " + context->stream.error);
  return fail(Code::Failed, std::string(what) + ": error " + std::to_string(result));
}

} // namespace

} // namespace qrt::cuda

extern "C" [[gnu::visibility("default")]] const qrt::cuda::Table *qrtCudaTable() {
  using namespace qrt::cuda;
  static const Table table = [] {
    Table t = {};
    t.architectures = "emulated";
    t.lastError = lastError;
    t.probe = probe;
    t.deviceInfo = deviceInfo;
    t.open = open;
    t.close = close;
    t.launchInfo = launchInfo;
    t.freeMemory = freeMemory;
    t.allocate = allocate;
    t.release = release;
    t.allocatePinned = allocatePinned;
    t.releasePinned = releasePinned;
    t.copyToDevice = copyToDevice;
    t.copyToHost = copyToHost;
    t.fill = fillMemory;
    t.synchronize = synchronize;
    t.query = query;
    t.beginCapture = beginCapture;
    t.endCapture = endCapture;
    t.launchGraph = launchGraph;
    t.destroyGraph = destroyGraph;
    t.checkLaunch = checkLaunch;
    fillOperations(t);
    return t;
  }();
  return &table;
}
