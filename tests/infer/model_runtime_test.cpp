// Opening the LibTorch module: the real one, wherever it lies, and clear words where there is none.
#include "imgmill/infer/model_runtime.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "imgmill/infer/libtorch_location.h"

using namespace imgmill;

namespace {

/// Sets IMGMILL_TORCH_MODULE for one test.
class NamedModule {
 public:
  explicit NamedModule(const std::string& path) {
    if (const char* before = std::getenv("IMGMILL_TORCH_MODULE")) before_ = before;
    setenv("IMGMILL_TORCH_MODULE", path.c_str(), 1);
  }
  ~NamedModule() { setenv("IMGMILL_TORCH_MODULE", before_.c_str(), 1); }

 private:
  std::string before_;
};

std::unique_ptr<MemoryManager> Manager() {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  return *std::move(manager);
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool IsMapped(const std::string& library) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    if (Has(line, library)) return true;
  }
  return false;
}

}  // namespace

// The tests run in this order: once the module is open it stays open.
TEST_CASE("1: a module that is not there is an error that says what was tried and what helps") {
  const auto manager = Manager();
  {
    const NamedModule named("/nonexistent/module.so");
    const auto runtime = OpenModelRuntime(*manager, 1);
    REQUIRE(!runtime.ok());
    CHECK(runtime.error().code == Code::kNotFound);
    CHECK(Has(runtime.error().message, "/nonexistent/module.so: no such file"));
    CHECK(Has(runtime.error().message, "scripts/quickstart.sh"));
  }
  {
    const std::string path = std::filesystem::temp_directory_path() / "imgmill-no-module.so";
    std::ofstream(path) << "not an object file";
    const NamedModule named(path);
    const auto runtime = OpenModelRuntime(*manager, 1);
    std::filesystem::remove(path);
    REQUIRE(!runtime.ok());
    // LibTorch is looked for first; none lies beside this module.
    CHECK(Has(runtime.error().message,
              LibTorchWanted().empty() ? "imgmill-no-module.so" : "beside the module"));
  }
  {
    const NamedModule named("libm.so.6");  // exists for the loader, but no file of that name lies here
    CHECK(!OpenModelRuntime(*manager, 1).ok());
  }
  CHECK(!IsMapped("libtorch_cpu"));
}

TEST_CASE("2: the module opens on first use, gives devices, and refuses what is no model") {
  if (!std::filesystem::exists(std::string(IMGMILL_BINARY_DIR) + "/lib/libimgmill_torch.so")) {
    MESSAGE("built without LibTorch");
    return;
  }
  const NamedModule beside_the_program("");
  const auto manager = Manager();
  auto runtime = OpenModelRuntime(*manager, 2);
  if (!runtime) FAIL(runtime.error().message);
  CHECK(IsMapped("libtorch_cpu"));
  CHECK((*runtime)->version().starts_with("libtorch "));
  REQUIRE(MappedLibTorch() != nullptr);

  const Result<int> devices = (*runtime)->AddDevices("cpu", 0);
  REQUIRE(devices.ok());
  CHECK(*devices == 1);
  CHECK(manager->device_count() == 1);
  CHECK(manager->device(0).name() == "cpu");
  CHECK(manager->device(0).pool() == &HostPool());

  const auto missing = (*runtime)->LoadUpscaler("/nonexistent/model.pth");
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == Code::kNotFound);
  const auto folder = (*runtime)->LoadUpscaler("/tmp");
  REQUIRE(!folder.ok());
  CHECK(folder.error().code == Code::kModelError);
  const auto device = (*runtime)->LoadUpscaler("/dev/null");
  REQUIRE(!device.ok());
  CHECK(device.error().code == Code::kModelError);

  // A second runtime beside the first, and models that outlive neither the process nor the module.
  auto second = OpenModelRuntime(*manager, 1);
  REQUIRE(second.ok());
  runtime->reset();
  CHECK((*second)->version().starts_with("libtorch "));
}

TEST_CASE("3: the plan of numerics in one line") {
  NumericsPlan plan;
  plan.kernels = "winograd-avx2";
  plan.tile = 512;
  plan.overlap = 20;
  CHECK(plan.Describe() == "kernels=winograd-avx2 dtype=float32 tile=512 overlap=20 micro_batch=1");
  plan.tile = 0;
  CHECK(Has(plan.Describe(), "tile=none"));
}
