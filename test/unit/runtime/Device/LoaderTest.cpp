//===- LoaderTest.cpp - Ways in which the library of the device cannot be loaded -------------===//
#include "Device/CudaDevice.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace qrt;

namespace {

class Library {
public:
  explicit Library(const std::string &path) { setenv("QRT_CUDA_LIBRARY", path.c_str(), 1); }
  ~Library() { unsetenv("QRT_CUDA_LIBRARY"); }
};

void expectProblem(DeviceProblem problem, const std::string &words) {
  CudaLibrary library = loadCudaLibrary();
  EXPECT_EQ(library.table, nullptr);
  EXPECT_EQ(library.problem, problem) << deviceProblemName(library.problem);
  EXPECT_EQ(library.status.exitCode(), 13);
  EXPECT_NE(library.status.message().find(words), std::string::npos) << library.status.message();
  // The same through every door.
  EXPECT_EQ(findDevices().problem, problem);
  EXPECT_EQ(findDevices().status.message(), library.status.message());
  auto device = CudaDevice::open(0);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.status().message(), library.status.message());
}

TEST(Loader, LibraryThatIsNamedButMissing) {
  Library library("/nowhere/libqrt_cuda.so");
  expectProblem(DeviceProblem::NoLibrary,
                "CUDA: no library: /nowhere/libqrt_cuda.so (QRT_CUDA_LIBRARY) does not exist");
}

TEST(Loader, NoLibraryBesideTheExecutable) {
  unsetenv("QRT_CUDA_LIBRARY");
  expectProblem(DeviceProblem::NoLibrary, "libqrt_cuda.so is not in /");
}

TEST(Loader, FileThatIsNoLibrary) {
  const auto path =
      std::filesystem::temp_directory_path() / ("qrt-loader-" + std::to_string(getpid()) + ".so");
  std::ofstream(path) << "not an ELF file";
  {
    Library library(path.string());
    expectProblem(DeviceProblem::NoLibrary, path.string());
  }
  std::filesystem::remove(path);
}

TEST(Loader, LibraryWithoutTable) {
  Library library(QRT_NO_TABLE);
  expectProblem(DeviceProblem::VersionMismatch, "has no qrtCudaTable");
}

TEST(Loader, TableOfAnotherVersion) {
  Library library(QRT_OTHER_TABLE);
  expectProblem(DeviceProblem::VersionMismatch, "has interface 4711 (8 bytes), this program needs");
}

TEST(Loader, DeviceNames) {
  EXPECT_EQ(parseDevice("cpu")->kind, DeviceKind::Cpu);
  EXPECT_EQ(parseDevice("auto")->kind, DeviceKind::Auto);
  EXPECT_EQ(parseDevice("cuda")->index, 0);
  EXPECT_EQ(parseDevice("cuda:12")->index, 12);
  EXPECT_EQ(parseDevice("cuda:12")->kind, DeviceKind::Cuda);
  for (const char *wrong : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999", "CUDA"})
    EXPECT_EQ(parseDevice(wrong).status().code(), StatusCode::InvalidArgument) << wrong;
}

} // namespace
