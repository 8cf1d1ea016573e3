// Models on devices, end to end within the module: right results, exact costs, no memory left behind.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "torch/runtime.h"
#include "torch/small_network.h"

using namespace imgmill;

namespace {

/// A manager and a runtime on the devices of `spec`, with the kernels that `isa` names ("" for the best).
struct House {
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
  std::string before;

  explicit House(const std::string& spec = "cpu", const std::string& isa = "", int threads = 2,
                 size_t budget = 0) {
    if (const char* set = std::getenv("IMGMILL_ISA")) before = set;
    if (!isa.empty()) setenv("IMGMILL_ISA", isa.c_str(), 1);
    Result<std::unique_ptr<MemoryManager>> made = MemoryManager::Create({});
    REQUIRE(made.ok());
    manager = *std::move(made);
    runtime = MakeTorchRuntime(*manager, threads);
    const Result<int> added = runtime->AddDevices(spec, budget);
    if (!added) FAIL(added.error().message);
  }
  ~House() { before.empty() ? unsetenv("IMGMILL_ISA") : setenv("IMGMILL_ISA", before.c_str(), 1); }

  std::unique_ptr<UpscaleModel> Load(const std::string& path) const {
    Result<std::unique_ptr<UpscaleModel>> model = runtime->LoadUpscaler(path);
    if (!model) FAIL(model.error().message);
    return *std::move(model);
  }
};

std::optional<std::string> AnimeVideo() {
  return Asset("weights/realesrgan/realesr-animevideov3-x4.safetensors");
}

/// Smooth waves with some noise: between a photo and the worst case.
std::vector<float> Picture(int n, int height, int width, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> noise(-0.1f, 0.1f);
  std::vector<float> picture;
  for (int i = 0; i < 3 * n; ++i) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double wave = std::sin(0.13 * x + i) * std::cos(0.07 * y - i);
        picture.push_back(std::clamp(0.5f + 0.45f * static_cast<float>(wave) + noise(random), 0.0f, 1.0f));
      }
    }
  }
  return picture;
}

std::vector<float> Forward(UpscaleModel& model, const std::vector<float>& input, int n, int height, int width,
                           WorkPlace place = WorkPlace::Device(0)) {
  const int scale = model.info().scale;
  std::vector<float> output(input.size() * static_cast<size_t>(scale * scale), -1.0f);
  const Status ran = model.Forward(input.data(), output.data(), n, height, width, place);
  if (!ran) FAIL(ran.error().message);
  return output;
}

float Largest(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("realesr-animevideov3: what the model says of itself") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House house;
  const auto model = house.Load(*path);
  CHECK(model->info().architecture == "SRVGGNetCompact");
  CHECK(model->info().scale == 4);
  CHECK(model->info().receptive_radius == 18);  // 16 layers, one before, one behind them
  // sha256sum of the file
  CHECK(model->info().digest == "e4b596178e8b824c0ccd519fe783b99d6a095a83dd6d4e56bc0d05099dab1a65");
  const NumericsPlan plan = model->Plan("cpu");
  CHECK(plan.tile > 0);
  CHECK(plan.overlap >= 18);
  CHECK(plan.micro_batch == 1);
  CHECK(plan.Describe() == model->Plan("cpu:1").Describe());
  CHECK(model->Plan("cuda:0").kernels == "libtorch-cuda-graph");
}

TEST_CASE("our kernels agree with LibTorch's on the real weights") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House reference("cpu", "libtorch");
  const auto by_libtorch = reference.Load(*path);
  CHECK(by_libtorch->Plan("cpu").kernels == "libtorch-graph");
  for (const char* isa : {"", "sse2"}) {
    const House house("cpu", isa);
    const auto model = house.Load(*path);
    for (const auto& [height, width] : {std::pair(1, 1), {37, 53}, {5, 130}}) {
      CAPTURE(width);
      const std::vector<float> picture = Picture(2, height, width);
      const std::vector<float> expected = Forward(*by_libtorch, picture, 2, height, width);
      const std::vector<float> actual = Forward(*model, picture, 2, height, width);
      CHECK(*std::min_element(actual.begin(), actual.end()) >= 0.0f);
      CHECK(*std::max_element(actual.begin(), actual.end()) <= 1.0f);
      CHECK(Largest(expected, actual) < 2e-4f);  // 1/255 is 4e-3
    }
  }
}

TEST_CASE("threads, devices and the host give the same bits") {
  const auto path = AnimeVideo();
  if (!path) return;
  const std::vector<float> picture = Picture(1, 40, 70);
  std::vector<float> expected;
  for (const int threads : {1, 2, 4}) {
    const House house("cpu:0,cpu:1,cpu", "", threads);
    const auto model = house.Load(*path);
    for (const WorkPlace place :
         {kCpuRung, WorkPlace::Device(0), WorkPlace::Device(1), WorkPlace::Device(2)}) {
      const std::vector<float> actual = Forward(*model, picture, 1, 40, 70, place);
      if (expected.empty()) expected = actual;
      CHECK(actual == expected);
    }
  }
}

TEST_CASE("tiles that overlap by the plan's overlap show no seam") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House house;
  const auto model = house.Load(*path);
  const int overlap = model->Plan("cpu").overlap, height = 90, width = 150, cut = 76;
  const std::vector<float> picture = Picture(1, height, width);
  const std::vector<float> whole = Forward(*model, picture, 1, height, width);
  const auto columns = [&](const std::vector<float>& from, int rows, int total, int x0, int x1) {
    std::vector<float> part;
    for (int y = 0; y < 3 * rows; ++y) {
      part.insert(part.end(), from.begin() + y * total + x0, from.begin() + y * total + x1);
    }
    return part;
  };
  const int left_end = cut + overlap, right_begin = cut - overlap;
  const auto left = Forward(*model, columns(picture, height, width, 0, left_end), 1, height, left_end);
  const auto right =
      Forward(*model, columns(picture, height, width, right_begin, width), 1, height, width - right_begin);
  // The part of each tile that is its own. Beyond the receptive radius only the rounding of Winograd's blocks
  // differs.
  const float in_left = Largest(columns(left, 4 * height, 4 * left_end, 0, 4 * cut),
                                columns(whole, 4 * height, 4 * width, 0, 4 * cut));
  const float in_right =
      Largest(columns(right, 4 * height, 4 * (width - right_begin), 4 * overlap, 4 * (width - right_begin)),
              columns(whole, 4 * height, 4 * width, 4 * cut, 4 * width));
  MESSAGE("largest difference at the seam: " << std::max(in_left, in_right));
  CHECK(in_left < 1e-4f);
  CHECK(in_right < 1e-4f);
}

TEST_CASE("ReLU and LeakyReLU need metadata; all activations and scales agree with LibTorch") {
  const WeightFolder folder;
  const std::vector<float> picture = Picture(1, 19, 23);
  for (const char* activation : {"", "relu", "leakyrelu"}) {
    const bool slopes = std::string(activation).empty();
    for (const int scale : {1, 2, 3}) {
      CAPTURE(activation);
      CAPTURE(scale);
      const std::string path = SmallCompact(folder, 20, 4, scale, slopes, activation);
      const House house, reference("cpu", "libtorch");
      const auto by_libtorch = reference.Load(path);
      unsetenv("IMGMILL_ISA");
      const auto model = house.Load(path);
      CHECK(model->info().scale == scale);
      CHECK(model->Plan("cpu").kernels != by_libtorch->Plan("cpu").kernels);
      CHECK(Largest(Forward(*model, picture, 1, 19, 23), Forward(*by_libtorch, picture, 1, 19, 23)) < 1e-5f);
    }
  }
  const House house;
  const auto untold = house.runtime->LoadUpscaler(SmallCompact(folder, 20, 4, 2, false, ""));
  REQUIRE(!untold.ok());
  CHECK(untold.error().code == Code::kModelError);
  CHECK(untold.error().message.find("act_type") != std::string::npos);
}

TEST_CASE("IMGMILL_ISA with a name that there are no kernels of is refused, with those that there are") {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  const char* const set = std::getenv("IMGMILL_ISA");
  const std::string before = set != nullptr ? set : "";
  setenv("IMGMILL_ISA", "avx513", 1);
  const auto added = MakeTorchRuntime(**manager, 1)->AddDevices("cpu", 0);
  before.empty() ? unsetenv("IMGMILL_ISA") : setenv("IMGMILL_ISA", before.c_str(), 1);
  REQUIRE(!added.ok());
  CHECK(added.error().code == Code::kUsage);
  CHECK(added.error().message.find("avx513") != std::string::npos);
  CHECK(added.error().message.find("or libtorch") != std::string::npos);
}

TEST_CASE("weights of other networks are refused by name") {
  const auto folder = Asset("weights/");
  if (!folder) return;
  const House house;
  const auto refused =
      house.runtime->LoadUpscaler(*folder + "LAION-AI+aesthetic-predictor/sa_0_4_vit_b_16_linear.pth");
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kModelError);
  CHECK(refused.error().message.find("filter --scorer") != std::string::npos);
}

TEST_CASE("the cost of a batch is exact, and unloading gives everything back") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House house("cpu:0,cpu", "", 2, size_t{1} << 30);
  HostPool().ClearCache();
  const PoolStats before = HostPool().Stats();
  {
    const auto model = house.Load(*path);
    CHECK(HostPool().Stats().live - before.live == model->info().weight_bytes);
    for (const WorkPlace place : {WorkPlace::Device(0), WorkPlace::Device(1), kCpuRung}) {
      Pool& pool = place.IsDevice() ? *house.manager->device(place.device()).pool() : HostPool();
      pool.ResetPeak();
      const size_t live = pool.Stats().live;
      Forward(*model, Picture(1, 50, 200), 1, 50, 200, place);
      CHECK(pool.Stats().peak_live - live == model->Cost(1, 50, 200, place).bytes);
      CHECK(pool.Stats().live == live);
    }
  }
  CHECK(HostPool().Stats().live == before.live);
  HostPool().ClearCache();
  CHECK(HostPool().Stats().charged <= before.charged);
}

TEST_CASE("a device whose budget is too small refuses, and its neighbour continues") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House house("cpu:0,cpu:1", "", 2, size_t{1} << 30);
  const auto model = house.Load(*path);
  Pool& small = *house.manager->device(0).pool();
  small.SetCap(model->Cost(1, 30, 40, WorkPlace::Device(0)).bytes + (size_t{1} << 20));
  const std::vector<float> picture = Picture(1, 64, 400);
  std::vector<float> output(picture.size() * 16);
  const Status refused = model->Forward(picture.data(), output.data(), 1, 64, 400, WorkPlace::Device(0));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::kOutOfMemory);
  CHECK(refused.error().message.find("cpu:0") != std::string::npos);
  Forward(*model, Picture(1, 30, 40), 1, 30, 40);
  Forward(*model, picture, 1, 64, 400, WorkPlace::Device(1));
}

TEST_CASE("whichever allocation of Forward fails, it says so, leaks nothing, and the next one is right") {
  const WeightFolder folder;
  const std::string path = SmallCompact(folder, 16, 5, 2, true, "");
  for (const char* isa : {"", "libtorch"}) {
    const House house("cpu", isa);
    const auto model = house.Load(path);
    const std::vector<float> picture = Picture(1, 24, 36);
    const std::vector<float> expected = Forward(*model, picture, 1, 24, 36);
    std::vector<float> output(expected.size());
    uint64_t k = 1;
    for (;; ++k) {
      const PoolStats before = HostPool().Stats();
      HostPool().RefuseAllocation(k);
      const Status ran = model->Forward(picture.data(), output.data(), 1, 24, 36, WorkPlace::Device(0));
      HostPool().RefuseAllocation(0);
      const PoolStats after = HostPool().Stats();
      CHECK(after.live == before.live);
      if (after.refusals == before.refusals) {
        CHECK(ran.ok());
        break;
      }
      if (!ran) CHECK(ran.error().code == Code::kOutOfMemory);
      CHECK(Forward(*model, picture, 1, 24, 36) == expected);
    }
    MESSAGE(model->Plan("cpu").kernels << ": allocations refused one by one: " << k - 1);
    // LibTorch needs one for each of five convolutions, four activations, the shuffle, the enlarged input and
    // the input in channels-last order; our kernels take one block for everything.
    CHECK(k - 1 >= (std::string(isa) == "libtorch" ? 12 : 1));
  }
}

TEST_CASE("whichever allocation of loading fails, it says so and leaks nothing") {
  const auto folder = Asset("weights/realesrgan/");
  if (!folder) return;
  const House house;
  for (const char* name : {"realesr-animevideov3-x4.safetensors", "realesr-animevideov3-x4.pth"}) {
    const size_t live = HostPool().Stats().live;
    uint64_t k = 1;
    for (;; k += 7) {
      HostPool().RefuseAllocation(k);
      const auto loaded = house.runtime->LoadUpscaler(*folder + name);
      HostPool().RefuseAllocation(0);
      if (loaded) break;
      CHECK(loaded.error().code == Code::kOutOfMemory);
      CHECK(HostPool().Stats().live == live);
    }
    CHECK(k > 53);  // one for each tensor at least
  }
}

TEST_CASE("Forward from many threads at once") {
  const auto path = AnimeVideo();
  if (!path) return;
  const House house("cpu:0,cpu:1,cpu", "", 2);
  const auto model = house.Load(*path);
  const std::vector<float> picture = Picture(1, 21, 33);
  const std::vector<float> expected = Forward(*model, picture, 1, 21, 33, kCpuRung);
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, i] {
      for (int j = 0; j < 5; ++j) {
        std::vector<float> output(expected.size());
        const Status ran = model->Forward(picture.data(), output.data(), 1, 21, 33,
                                          i == 0 ? kCpuRung : WorkPlace::Device(i - 1));
        right += ran.ok() && output == expected;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 20);
}

TEST_CASE("wrong shapes and devices are errors, and a model outlives its runtime") {
  const auto path = AnimeVideo();
  if (!path) return;
  House house;
  const auto model = house.Load(*path);
  const std::vector<float> picture = Picture(1, 8, 8);
  std::vector<float> output(picture.size() * 16);
  CHECK(model->Forward(picture.data(), output.data(), 0, 8, 8, WorkPlace::Device(0)).error().code ==
        Code::kInternal);
  CHECK(model->Forward(picture.data(), output.data(), 1, 0, 8, WorkPlace::Device(0)).error().code ==
        Code::kInternal);
  CHECK(model->Forward(picture.data(), output.data(), 1, 8, 8, WorkPlace::Device(5)).error().code ==
        Code::kInternal);
  house.runtime.reset();
  CHECK(model->Forward(picture.data(), output.data(), 1, 8, 8, WorkPlace::Device(0)).ok());
}
