// Each network against its peer, by tests/golden/networks: tensors, an image, and what the peer made of it.
// The files say which peer; tests/golden/network_golden.py says how they are written.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <random>
#include <thread>

#include "networks/kernels/conv_kernels.h"
#include "torch/architectures/architecture.h"
#include "torch/golden_network.h"
#include "torch/runtime.h"

using namespace imgmill;

namespace {

/// The same planes for each of three bands where the network takes one.
std::vector<float> Input(const Golden& golden) {
  Formula formula("input");
  std::vector<float> plane(static_cast<size_t>(golden.bands) * static_cast<size_t>(golden.height) *
                           static_cast<size_t>(golden.width));
  for (float& each : plane) each = static_cast<float>(formula.Next() + 0.5);
  std::vector<float> input = plane;
  for (int band = golden.bands; band < 3; ++band) input.insert(input.end(), plane.begin(), plane.end());
  return input;
}

void CheckUpscaler(const Golden& golden, ModelRuntime& runtime, const std::string& path) {
  const Result<std::unique_ptr<UpscaleModel>> model = runtime.LoadUpscaler(path);
  if (!model) FAIL(model.error().message);
  std::vector<float> input = Input(golden);
  std::vector<float> output((*model)->OutputFloats(golden.height, golden.width));
  REQUIRE(
      (*model)->Forward(input.data(), output.data(), 1, golden.height, golden.width, WorkPlace::Device(0)));
  REQUIRE(golden.values.size() > 5);
  REQUIRE(golden.values.back().first < output.size());
  double largest = 0;
  size_t within = 0;
  for (const auto& [index, value] : golden.values) {
    const double expected = std::clamp(value, 0.0, 1.0);
    if (expected == value) ++within;
    largest = std::max(largest, std::abs(expected - static_cast<double>(output[index])));
  }
  CHECK(largest < 2e-5);
  // What is clamped on both sides shows nothing.
  CHECK(within * 3 > golden.values.size());
}

/// What it makes of random pixels, as loaded with our kernels or without.
std::vector<float> Made(ModelRuntime& runtime, const std::string& path, bool ours, int height, int width) {
  ChooseConvKernels(ours);
  const Result<std::unique_ptr<UpscaleModel>> model = runtime.LoadUpscaler(path);
  if (!model) FAIL(model.error().message);
  CHECK((*model)->Plan("cpu").kernels.starts_with("winograd") == ours);
  std::mt19937 random(7);
  std::uniform_real_distribution<float> unit;
  std::vector<float> input(3 * static_cast<size_t>(height) * static_cast<size_t>(width));
  for (float& each : input) each = unit(random);
  std::vector<float> output((*model)->OutputFloats(height, width));
  REQUIRE((*model)->Forward(input.data(), output.data(), 1, height, width, WorkPlace::Device(0)));
  ChooseConvKernels(true);
  return output;
}

void CheckEmbedder(const Golden& golden, ModelRuntime& runtime, const std::string& path) {
  EmbedderRequest request;
  request.side = golden.height;
  request.task = golden.task;
  const Result<std::unique_ptr<EmbeddingModel>> model = runtime.LoadEmbedder(path, request);
  if (!model) FAIL(model.error().message);
  CHECK((*model)->info().input.has_value());
  const size_t length = golden.length;
  REQUIRE((*model)->OutputFloats(golden.height, golden.width) == length);
  const std::vector<float> input = Input(golden);
  const auto vector = [&] {
    std::vector<float> output(length);
    const Status ran =
        (*model)->Forward(input.data(), output.data(), 1, golden.height, golden.width, WorkPlace::Device(0));
    return ran ? output : std::vector<float>();
  };
  const std::vector<float> first = vector();
  REQUIRE(first.size() == length);
  double largest = 0, size = 0;
  for (const auto& [index, value] : golden.values) {
    size = std::max(size, std::abs(value));
    largest = std::max(largest, std::abs(value - static_cast<double>(first.at(index))));
  }
  CHECK(largest < 1e-5 * size);
  // Whatever else is in work: to the bit.
  std::array<std::vector<float>, 3> others;
  {
    std::vector<std::jthread> threads;
    for (std::vector<float>& other : others) threads.emplace_back([&] { other = vector(); });
  }
  for (const std::vector<float>& other : others) CHECK(other == first);
  // Whatever else is in its batch, and however much.
  for (const size_t count : {size_t{2}, size_t{3}, size_t{8}}) {
    CAPTURE(count);
    std::vector<float> images;
    for (size_t i = 0; i < count; ++i) {
      const float factor = i + 1 == count ? 1.0f : 0.1f * static_cast<float>(i);
      std::transform(input.begin(), input.end(), std::back_inserter(images),
                     [&](float value) { return value * factor; });
    }
    std::vector<float> vectors(count * length);
    REQUIRE((*model)->Forward(images.data(), vectors.data(), static_cast<int>(count), golden.height,
                              golden.width, WorkPlace::Device(0)));
    CHECK(std::equal(first.begin(), first.end(), vectors.end() - static_cast<ptrdiff_t>(length)));
  }
  CHECK_FALSE(runtime.LoadUpscaler(path).ok());
  request.task = golden.task == ModelTask::kEmbed ? ModelTask::kScore : ModelTask::kEmbed;
  CHECK_FALSE(runtime.LoadEmbedder(path, request).ok());
  const auto text = runtime.LoadTextTower(path, {});
  REQUIRE_FALSE(text.ok());
  CHECK(text.error().code == Code::kUsage);
  CHECK(text.error().message.find(golden.name.starts_with("siglip") ? "SentencePiece" : "no text tower") !=
        std::string::npos);
}

void CheckText(const Golden& golden, ModelRuntime& runtime, const std::string& path) {
  const Result<std::unique_ptr<TextModel>> model = runtime.LoadTextTower(path, {});
  if (!model) FAIL(model.error().message);
  REQUIRE((*model)->info().dimension == static_cast<int>(golden.length));
  CHECK((*model)->context() == static_cast<int>(golden.tokens.size()));
  CHECK((*model)->Cost().pooled > 0);
  std::vector<float> vector(golden.length);
  REQUIRE((*model)->Embed(golden.tokens, vector).ok());
  double largest = 0, size = 0;
  REQUIRE(golden.values.size() == golden.length);
  for (const auto& [index, value] : golden.values) {
    size = std::max(size, std::abs(value));
    largest = std::max(largest, std::abs(value - static_cast<double>(vector.at(index))));
  }
  CHECK(largest < 1e-5 * size);
  // Neither what stands behind the end nor what was computed before makes a difference; a token does.
  std::vector<int32_t> others = golden.tokens;
  std::vector<float> again(golden.length);
  others.back() = 5;
  CHECK((*model)->Embed(others, again).ok());
  CHECK(again == vector);
  others[1] = 5;
  CHECK((*model)->Embed(others, again).ok());
  CHECK(again != vector);
  CHECK_FALSE((*model)->Embed(std::vector<int32_t>{(*model)->vocabulary()}, again).ok());
  CHECK_FALSE((*model)->Embed(std::vector<int32_t>(golden.tokens.size() + 1), again).ok());
  // The image tower is in the same file, and each leaves the other alone.
  CHECK(runtime.LoadEmbedder(path, {}).ok());
}

}  // namespace

TEST_CASE("each network is taken for one architecture, and for no other") {
  const WeightFolder folder;
  ForEachGolden([&](const Golden& golden) {
    CAPTURE(golden.name);
    Result<StateDict> weights = ReadStateDict(golden.weights.Write(folder));
    REQUIRE(weights.ok());
    const Result<const Architecture*> found =
        DetectArchitecture(*weights);  // without what stands before all names
    REQUIRE(found.ok());
    std::string claims;
    for (const Architecture* each : Architectures()) {
      if (each->Matches(*weights)) claims.append(claims.empty() ? "" : ", ").append(each->name());
    }
    CHECK(claims == (*found)->name());
  });
}

TEST_CASE("no tensor that is missing, of another shape or of integers ends the program; integers are named") {
  const WeightFolder folder;
  ForEachGolden([&](const Golden& golden) {
    CAPTURE(golden.name);
    Result<StateDict> read = ReadStateDict(golden.weights.Write(folder));
    REQUIRE(read.ok());
    const Result<const Architecture*> found = DetectArchitecture(*read);
    REQUIRE(found.ok());
    const auto weights = std::make_shared<StateDict>(*std::move(read));
    /// What the architecture says of them as they are now; nothing where they are a network, or no longer its
    /// own.
    const auto refusal = [&]() -> std::string {
      if (!(*found)->Matches(*weights)) return {};
      ModelInfo info;
      if ((*found)->task() != ModelTask::kUpscale) info.input.emplace().side = golden.height;
      const auto loaded = (*found)->Load(weights, info);
      return loaded ? std::string() : loaded.error().message;
    };
    REQUIRE(refusal().empty());
    // Of tensors of one shape whose names differ by the numbers of their blocks alone, the first two are
    // missed: networks are built block by block. What else is wrong with one is tried on the first.
    std::vector<std::string> firsts, seconds;
    std::map<std::pair<std::string, std::vector<int64_t>>, int> alike;
    for (const auto& [name, tensor] : weights->tensors) {
      std::string kind = name;
      std::erase_if(kind, [](char c) { return c >= '0' && c <= '9'; });
      const int nth = ++alike[{kind, tensor.shape}];
      if (nth <= 2) (nth == 1 ? firsts : seconds).push_back(name);
    }
    const auto miss = [&](const std::string& name) {
      auto taken = weights->tensors.extract(name);
      refusal();
      weights->tensors.insert(std::move(taken));
    };
    for (const std::string& name : seconds) miss(name);
    for (const std::string& name : firsts) {
      CAPTURE(name);
      WeightTensor& tensor = weights->tensors.at(name);
      // Each of these is refused, or does not matter.
      const std::vector<int64_t> shape = tensor.shape;
      std::vector<int64_t> turned(shape.rbegin(), shape.rend());
      for (const std::vector<int64_t>& other :
           {std::vector<int64_t>{tensor.count()}, std::vector<int64_t>{0}, turned}) {
        tensor.shape = other;
        refusal();
      }
      tensor.shape = shape;
      tensor.type = ElementType::kInt32;
      const std::string wrong_kind = refusal();
      CAPTURE(wrong_kind);
      if (!wrong_kind.empty()) CHECK(wrong_kind.find("int32") != std::string::npos);
      tensor.type = ElementType::kFloat32;
      miss(name);
    }
  });
}

TEST_CASE("each network gives what its peer gives") {
  const WeightFolder folder;
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 2);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  ForEachGolden([&](const Golden& golden) {
    CAPTURE(golden.name);  // no subcase: each would read all the files again
    const std::string path = golden.weights.Write(folder);
    if (!golden.tokens.empty()) {
      CheckText(golden, *runtime, path);
    } else if (golden.length > 0) {
      CheckEmbedder(golden, *runtime, path);
    } else {
      CheckUpscaler(golden, *runtime, path);
    }
  });
}

TEST_CASE("networks of convolutions give with our kernels what LibTorch gives, in images of any size") {
  if (BestConvKernels() == nullptr) return;
  const WeightFolder folder;
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(**manager, 2);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  for (const char* name : {"dncnn",
                           "dncnn_grey",
                           "dncnn_norms",
                           "fdncnn",
                           "fdncnn_grey",
                           "drunet",
                           "drunet_grey",
                           "drunet_untold",
                           "fbcnn",
                           "fbcnn_grey",
                           "swift_srgan_x1",
                           "swift_srgan_x4",
                           "swift_srgan_grey_x2",
                           "compact_x1",
                           "compact_x4",
                           "compact_grey_x2",
                           "rrdb_grey_x2",
                           "rfdn_x2",
                           "rlfn_x2",
                           "efdn_x2"}) {
    const Golden golden =
        ReadGolden(std::string(IMGMILL_SOURCE_DIR "/tests/golden/networks/") + name + ".csv");
    const std::string path = golden.weights.Write(folder);
    for (const auto& [height, width] : {std::pair{1, 1}, {3, 50}, {8, 16}, {37, 21}}) {
      CAPTURE(name);
      CAPTURE(height);
      const std::vector<float> expected = Made(*runtime, path, false, height, width);
      const std::vector<float> actual = Made(*runtime, path, true, height, width);
      REQUIRE(actual.size() == expected.size());
      float largest = 0;
      for (size_t i = 0; i < actual.size(); ++i)
        largest = std::max(largest, std::abs(actual[i] - expected[i]));
      CHECK(largest < 2e-5f);
    }
  }
}
