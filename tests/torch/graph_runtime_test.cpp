// The runtime that needs LibTorch for some models alone, with the real one behind it.
#include "networks/graph_runtime.h"

#include <algorithm>
#include <cstdlib>

#include "networks/edge.h"
#include "torch/golden_network.h"
#include "torch/runtime.h"
#include "torch/small_network.h"

using namespace imgmill;

namespace {

/// A runtime on the devices of `spec`, and how often it opened LibTorch.
struct Runtime {
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
  int opened = 0;

  Runtime() {
    MemoryOptions options;
    options.host_budget = size_t{2} << 30;
    auto made = MemoryManager::Create(options);
    REQUIRE(made.ok());
    manager = *std::move(made);
    runtime = MakeGraphRuntime(*manager, 2, [this]() -> Result<std::unique_ptr<ModelRuntime>> {
      ++opened;
      return MakeTorchRuntime(*manager, 2);
    });
  }
};

/// What a model that is no graph makes of a small picture on each of two devices.
std::vector<std::vector<float>> OnBoth(ModelRuntime& runtime, const std::string& path) {
  const auto model = runtime.LoadUpscaler(path);
  if (!model) FAIL(model.error().message);
  std::vector<float> input(3 * 24 * 24);
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i % 17) / 17;
  std::vector<std::vector<float>> made;
  for (const int device : {0, 1}) {
    std::vector<float>& output = made.emplace_back((*model)->OutputFloats(24, 24));
    REQUIRE((*model)->Forward(input.data(), output.data(), 1, 24, 24, WorkPlace::Device(device)).ok());
  }
  return made;
}

std::string GoldenFile(const std::string& name, const WeightFolder& folder) {
  return ReadGolden(IMGMILL_SOURCE_DIR "/tests/golden/networks/" + name + ".csv").weights.Write(folder);
}

}  // namespace

TEST_CASE("a graph on the CPU needs no LibTorch, whatever devices the CPU is") {
  const WeightFolder folder;
  const std::string path = SmallCompact(folder, 16, 3, 2, true, "");
  for (const char* spec : {"cpu", "cpu:0,cpu:1"}) {
    Runtime on;
    REQUIRE(on.runtime->AddDevices(spec, 0).ok());
    REQUIRE(on.runtime->Prepare(path).ok());
    const auto model = on.runtime->LoadUpscaler(path);
    REQUIRE(model.ok());
    CHECK((*model)->Plan("cpu").kernels.starts_with("winograd"));
    CHECK((*model)->info().library == "imgmill");
    const auto looked = on.runtime->LoadToLook(path);
    REQUIRE(looked.ok());
    CHECK((*looked)->info().digest == (*model)->info().digest);
    CHECK(on.opened == 0);
    CHECK_FALSE(NeedsLibTorch(path, spec));
  }
  CHECK(NeedsLibTorch(path, "cuda"));
}

TEST_CASE("another network opens LibTorch once, on the same devices") {
  const WeightFolder graphs, others;
  const std::string graph = SmallCompact(graphs, 16, 3, 2, true, ""), other = GoldenFile("hat_x2", others);
  Runtime on;
  REQUIRE(on.runtime->AddDevices("cpu:0,cpu:1", 0).ok());
  REQUIRE(on.runtime->LoadUpscaler(graph).ok());
  CHECK(on.opened == 0);
  CHECK(NeedsLibTorch(other, "cpu"));
  REQUIRE(on.runtime->Prepare(other).ok());
  CHECK(on.opened == 1);
  const auto made = OnBoth(*on.runtime, other);
  CHECK(on.opened == 1);
  CHECK(on.manager->device_count() == 2);
  CHECK(made[0] == made[1]);
  // As on devices of its own.
  MemoryOptions options;
  options.host_budget = size_t{2} << 30;
  auto manager = MemoryManager::Create(options);
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> libtorch = MakeTorchRuntime(**manager, 2);
  REQUIRE(libtorch->AddDevices("cpu:0,cpu:1", 0).ok());
  CHECK(OnBoth(*libtorch, other)[1] == made[1]);
  // A graph is loaded without its help all the same.
  const auto again = on.runtime->LoadUpscaler(graph);
  REQUIRE(again.ok());
  CHECK((*again)->info().library == "imgmill");
}

TEST_CASE("what is wrong with a file is told without opening LibTorch") {
  const WeightFolder folder;
  Runtime on;
  REQUIRE(on.runtime->AddDevices("cpu", 0).ok());
  const auto refusal = [&](const std::string& path) {
    CHECK(on.runtime->Prepare(path).ok());
    const auto none = on.runtime->LoadUpscaler(path);
    REQUIRE_FALSE(none.ok());
    return none.error();
  };
  const std::string whole = ReadBytes(SmallCompact(folder, 16, 3, 2, true, ""));
  CHECK(refusal(folder.Write("x", "") + "-not-there").code == Code::kNotFound);
  CHECK(refusal(folder.Write("notes.txt", "no weights at all"))
            .message.find("neither a .safetensors file nor a PyTorch state dict") != std::string::npos);
  CHECK(refusal(folder.Write("cut.safetensors", whole.substr(0, whole.size() / 2))).code ==
        Code::kModelError);
  CHECK(on.runtime->LoadUpscaler(folder.Write("m.onnx", std::string("\x08\x07\x12\x00", 4) + "pytorch"))
            .error()
            .message.starts_with("this is an ONNX model"));
  CHECK(on.opened == 0);
}

TEST_CASE("LibTorch alone, by the environment's word") {
  const WeightFolder folder;
  const std::string path = SmallCompact(folder, 16, 3, 2, true, "");
  setenv("IMGMILL_ISA", "libtorch", 1);
  Runtime on;
  REQUIRE(on.runtime->AddDevices("cpu", 0).ok());
  CHECK(on.opened == 1);
  const auto model = on.runtime->LoadUpscaler(path);
  unsetenv("IMGMILL_ISA");
  REQUIRE(model.ok());
  CHECK((*model)->Plan("cpu").kernels == "libtorch-graph");
}

TEST_CASE("a runtime that cannot be opened is an error of the model that needs it") {
  const WeightFolder graphs, others;
  const std::string other = GoldenFile("hat_x2", others);
  MemoryOptions options;
  options.host_budget = size_t{1} << 30;
  auto manager = MemoryManager::Create(options);
  REQUIRE(manager.ok());
  const auto runtime = MakeGraphRuntime(**manager, 1, []() -> Result<std::unique_ptr<ModelRuntime>> {
    return Error{Stage::kConfigure, Code::kNotFound, "no LibTorch on this machine"};
  });
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  CHECK(runtime->LoadUpscaler(SmallCompact(graphs, 16, 3, 2, true, "")).ok());
  const auto refused = runtime->LoadUpscaler(other);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "no LibTorch on this machine");
  CHECK_FALSE(runtime->Prepare(other).ok());
  const KnownArchitectures known = runtime->Known();
  CHECK(known.left_out == "no LibTorch on this machine");
  const auto has = [&](const char* name) {
    return std::any_of(known.each.begin(), known.each.end(),
                       [&](const KnownArchitecture& each) { return each.name == name; });
  };
  CHECK((has("RRDBNet") && !has("SwinIR")));
}
