//===- ContextTest.cpp - The shipped library's calls of the driver ---------------------------===//
// libqrt_cuda.so in this process, on the libcuda.so.1 of FakeDriver.cpp, which was loaded before
// it: what it makes of memory, copies, queries and captured graphs.
#include "kernels/cuda/Table.h"

#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <string>

using namespace qrt::cuda;

namespace {

class DriverContext : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    driver = dlopen(QRT_FAKE_DRIVER_DIR "/libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    ASSERT_TRUE(driver) << dlerror();
    void *library = dlopen(QRT_CUDA_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    ASSERT_TRUE(library) << dlerror();
    auto get = reinterpret_cast<TableFunction>(dlsym(library, tableSymbol));
    ASSERT_TRUE(get);
    table = get();
  }
  ~DriverContext() override {
    unsetenv("QRT_CUDA_PDL");
    if (context)
      table->close(context);
  }
  void open(const char *behaviour) {
    setenv("QRT_FAKE_DRIVER", behaviour, 1);
    reinterpret_cast<void (*)()>(dlsym(driver, "qrtFakeReload"))();
    ASSERT_EQ(table->open(0, &context), Code::Ok) << table->lastError();
  }
  /// The edges of a captured graph, or the words of the error.
  std::string capture() {
    Graph *graph = nullptr;
    EXPECT_EQ(table->beginCapture(context), Code::Ok);
    if (table->endCapture(context, &graph) != Code::Ok)
      return table->lastError();
    EXPECT_EQ(table->launchGraph(context, graph), Code::Ok);
    table->destroyGraph(context, graph);
    return reinterpret_cast<const char *(*)()>(dlsym(driver, "qrtFakeEdges"))();
  }

  static inline void *driver = nullptr;
  static inline const Table *table = nullptr;
  Context *context = nullptr;
};

TEST_F(DriverContext, KernelsOfAGraphOverlapFromHopperOn) {
  open("capability=90");
  EXPECT_EQ(capture(), "1>2 2>3p 3>4p 4>5");
}

TEST_F(DriverContext, OlderDevicesKeepFullDependencies) {
  open("capability=80");
  EXPECT_EQ(capture(), "1>2 2>3 3>4 4>5");
}

TEST_F(DriverContext, OverlapCanBeSwitchedOff) {
  setenv("QRT_CUDA_PDL", "0", 1);
  open("capability=90");
  EXPECT_EQ(capture(), "1>2 2>3 3>4 4>5");
}

TEST_F(DriverContext, EdgesThatTheDriverRefusesAreAnError) {
  open("capability=90,edges=801");
  EXPECT_NE(capture().find("cuGraphAddDependencies"), std::string::npos);
}

TEST_F(DriverContext, QueriesTellWorkFromErrors) {
  int32_t idle = -1;
  open("");
  EXPECT_EQ(table->query(context, &idle), Code::Ok);
  EXPECT_EQ(idle, 1);
  table->close(context);
  open("sync=600"); // CUDA_ERROR_NOT_READY
  EXPECT_EQ(table->query(context, &idle), Code::Ok);
  EXPECT_EQ(idle, 0);
  table->close(context);
  open("sync=700");
  EXPECT_EQ(table->query(context, &idle), Code::Lost);
  EXPECT_NE(std::string(table->lastError()).find("CUDA_ERROR_ILLEGAL_ADDRESS"), std::string::npos);
}

} // namespace
