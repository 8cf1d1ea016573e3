// Networks that are told how strong the noise is: by default, by the file, and what is no level.
#include <algorithm>

#include "torch/formula_weights.h"
#include "torch/runtime.h"

using namespace imgmill;

namespace {

/// An FDnCNN of grey whose convolutions pass on their last channel: it gives what it is told, and nothing of
/// the image.
FormulaWeights Parrot() {
  FormulaWeights weights;
  std::vector<float> first(2 * 9, 0.0f), inner(9, 0.0f);
  first[9 + 4] = inner[4] = 1;
  weights.AddValues(first, "1,2,3,3", "model.0.weight");
  weights.AddValues(inner, "1,1,3,3", "model.2.weight");
  weights.AddValues(inner, "1,1,3,3", "model.4.weight");
  for (const char* layer : {"model.0.bias", "model.2.bias", "model.4.bias"})
    weights.AddValues({0.0f}, "1", layer);
  return weights;
}

struct Told {
  std::string assumed, refusal;
  float least = -1, most = -1;
};

Told WhatItIsTold(const FormulaWeights& weights, const UpscalerRequest& request = {}) {
  const WeightFolder folder;
  const Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 1);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  const auto model = runtime->LoadUpscaler(weights.Write(folder), request);
  if (!model) return {.assumed = "", .refusal = model.error().message};
  CHECK((*model)->info().architecture == "FDnCNN");
  CHECK((*model)->info().takes_noise_level);
  std::vector<float> image(3 * 6 * 5, 0.7f), output(image.size());
  REQUIRE((*model)->Forward(image.data(), output.data(), 1, 6, 5, WorkPlace::Device(0)).ok());
  const auto [least, most] = std::minmax_element(output.begin(), output.end());
  return {(*model)->info().assumed, "", *least, *most};
}

}  // namespace

TEST_CASE("a network is told a noise of 15 of 255, and imgmill says so") {
  const Told told = WhatItIsTold(Parrot());
  CHECK(told.least == doctest::Approx(15.0 / 255).epsilon(1e-6));
  CHECK(told.most == doctest::Approx(told.least).epsilon(1e-6));
  CHECK(told.assumed.find("15 of 255") != std::string::npos);
}

TEST_CASE("a file may say how strong the noise is, which is then not assumed") {
  FormulaWeights weights = Parrot();
  weights.AddMetadata("noise_level", "127.5");
  const Told told = WhatItIsTold(weights);
  CHECK(told.least == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(told.most == doctest::Approx(told.least).epsilon(1e-6));
  CHECK(told.assumed.empty());
}

TEST_CASE("what the user says counts, whatever the file says, and is not assumed") {
  FormulaWeights weights = Parrot();
  for (const double level : {0.0, 12.75, 255.0}) {
    const Told told = WhatItIsTold(weights, {.noise_level = level});
    CHECK(told.least == doctest::Approx(level / 255).epsilon(1e-6));
    CHECK(told.most == doctest::Approx(told.least).epsilon(1e-6));
    CHECK(told.assumed.empty());
    if (level == 0.0) weights.AddMetadata("noise_level", "127.5");  // for those behind it
  }
}

TEST_CASE("a network that sees nothing but the image takes no noise level") {
  FormulaWeights weights;
  for (const char* layer : {"model.0", "model.2", "model.4"}) weights.AddConvolution(layer, 1, 1, layer);
  const WeightFolder folder;
  const Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 1);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  const auto model = runtime->LoadUpscaler(weights.Write(folder));
  REQUIRE(model.ok());
  CHECK((*model)->info().architecture == "DnCNN");
  CHECK_FALSE((*model)->info().takes_noise_level);
}

TEST_CASE("a noise level that is no number from 0 to 255 is refused") {
  for (const char* text : {"", "loud", "256", "-1", "nan", "25 "}) {
    CAPTURE(text);
    FormulaWeights weights = Parrot();
    weights.AddMetadata("noise_level", text);
    CHECK(WhatItIsTold(weights).refusal.find("noise_level") != std::string::npos);
  }
}
