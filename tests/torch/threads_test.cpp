// Networks that enlarge give the same bits with any number of threads: all of tests/golden/networks, by our
// kernels where they have them and by LibTorch alone, on images that are too large for one thread.
#include <ATen/Parallel.h>

#include <filesystem>
#include <random>
#include <set>
#include <string>

#include "torch/architectures/architecture.h"
#include "torch/golden_network.h"
#include "torch/libtorch_settings.h"
#include "torch/runtime.h"

using namespace imgmill;

namespace {

/// Sides of an image. Odd, so that no number of threads divides its maps.
struct Sides {
  int height, width;
};
/// LibTorch has several threads compute what is of more than 32768 values: maps of few channels are that
/// large for five threads, and of many.
constexpr Sides kOfFew = {101, 107}, kOfMany = {51, 53};
/// Weights of networks whose channels are many.
constexpr uintmax_t kMany = 500'000;

std::vector<float> Made(const std::string& path, KernelChoice kernels, int threads) {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, threads, kernels);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  const Result<std::unique_ptr<UpscaleModel>> model = runtime->LoadUpscaler(path);
  if (!model) FAIL(model.error().message);
  const auto [height, width] = std::filesystem::file_size(path) > kMany ? kOfMany : kOfFew;
  std::mt19937 random(7);
  std::uniform_real_distribution<float> unit;
  std::vector<float> input(size_t{3} * static_cast<size_t>(height) * static_cast<size_t>(width));
  for (float& each : input) each = unit(random);
  std::vector<float> output((*model)->OutputFloats(height, width));
  REQUIRE((*model)->Forward(input.data(), output.data(), 1, height, width, WorkPlace::Device(0)));
  return output;
}

void CheckThreads(const std::string& path) {
  for (const KernelChoice kernels : {KernelChoice::kFastest, KernelChoice::kReference}) {
    const bool ours = kernels == KernelChoice::kFastest;
    CAPTURE(ours);
    const std::vector<float> one = Made(path, kernels, 1);
    for (const int threads : {2, 3, 5}) {
      CAPTURE(threads);
      const bool same = Made(path, kernels, threads) == one;
      CHECK(same);
    }
  }
}

/// With its convolutions as they are computed; it has no file among the others.
FormulaWeights Span() {
  constexpr int kFeatures = 8, kScale = 2;
  FormulaWeights weights;
  const auto add = [&](const std::string& name, int out, int in, int side) {
    weights.AddConvolution(name, out, in, name, side);
  };
  add("conv_1.eval_conv", kFeatures, 3, 3);
  for (int block = 1; block <= 6; ++block) {
    for (int c = 1; c <= 3; ++c)
      add("block_" + std::to_string(block) + ".c" + std::to_string(c) + "_r.eval_conv", kFeatures, kFeatures,
          3);
  }
  add("conv_2.eval_conv", kFeatures, kFeatures, 3);
  add("conv_cat", kFeatures, 4 * kFeatures, 1);
  // Its layers see values of hundreds.
  weights.Add("upsampler.0.weight", {3 * kScale * kScale, kFeatures, 3, 3}, "upsampler.0.weight", 1.0 / 64);
  weights.Add("upsampler.0.bias", {3 * kScale * kScale}, "upsampler.0.bias");
  return weights;
}

}  // namespace

TEST_CASE("this LibTorch's work can be shared evenly, so that it computes on as many threads as it is told") {
  SetUpLibTorch(2);
  CHECK(at::get_num_threads() == 2);
}

TEST_CASE("networks that enlarge give the same bits with any number of threads") {
  const WeightFolder folder;
  std::set<std::string_view> tried;
  for (const auto& entry : std::filesystem::directory_iterator(IMGMILL_SOURCE_DIR "/tests/golden/networks")) {
    if (entry.path().extension() != ".csv") continue;
    const Golden golden = ReadGolden(entry.path());
    if (!golden.tokens.empty() || golden.length > 0) continue;  // what gives vectors has one thread an image
    CAPTURE(golden.name);
    const std::string path = golden.weights.Write(folder);
    Result<StateDict> weights = ReadStateDict(path);
    REQUIRE(weights.ok());
    tried.insert((*DetectArchitecture(*weights))->name());
    CheckThreads(path);
  }
  tried.insert("SPAN");
  CheckThreads(Span().Write(folder));
  for (const Architecture* each : Architectures()) {
    CAPTURE(each->name());
    const bool enlarges = each->task() == ModelTask::kUpscale;
    CHECK(tried.contains(each->name()) == enlarges);
  }
}
