// Real accelerators: statistics, exhaustion, recovery and results. Does nothing on a machine without one;
// scripts/gpu-check.sh runs it on one that has.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "torch/accelerator_house.h"
#include "torch/small_network.h"

using namespace imgmill;

TEST_CASE("accelerator: it tells its memory and answers the canary") {
  const auto house = WithAccelerator();
  if (!house) return;
  Device& device = house->manager->device(0);
  const DeviceStats stats = device.Stats();
  MESSAGE(device.name() << ": free " << (stats.free >> 20) << " of " << (stats.total >> 20) << " MiB");
  CHECK(device.Canary().ok());
  CHECK(device.Synchronize().ok());
  CHECK(stats.known);
  CHECK(stats.free <= stats.total);
  CHECK(house->manager->DeviceRoom(0) > 0);
}

TEST_CASE("accelerator: results are the CPU's within 1/255") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  const auto model = Load(*house, SmallCompact(folder, 64, 10, 4, true, ""));
  constexpr int kCount = 3, kHeight = 120, kWidth = 200;
  std::vector<float> picture(3 * kCount * kHeight * kWidth);
  for (size_t i = 0; i < picture.size(); ++i)
    picture[i] = 0.5f + 0.5f * std::sin(0.37f * static_cast<float>(i));
  std::vector<float> on_cpu(picture.size() * 16), on_device(picture.size() * 16);
  REQUIRE(model->Forward(picture.data(), on_cpu.data(), kCount, kHeight, kWidth, kCpuRung).ok());
  const Status ran =
      model->Forward(picture.data(), on_device.data(), kCount, kHeight, kWidth, WorkPlace::Device(0));
  if (!ran) FAIL(ran.error().message);
  float largest = 0;
  for (size_t i = 0; i < on_cpu.size(); ++i) largest = std::max(largest, std::abs(on_cpu[i] - on_device[i]));
  MESSAGE("largest difference from the CPU: " << largest);
  CHECK(largest < 1.0f / 255);
  std::vector<float> again(on_device.size());
  REQUIRE(model->Forward(picture.data(), again.data(), kCount, kHeight, kWidth, WorkPlace::Device(0)).ok());
  CHECK(again == on_device);
}

TEST_CASE("accelerator: samples in half precision come out within a level of float32") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  const auto model = Load(*house, SmallCompact(folder, 64, 18, 4, true, ""));
  REQUIRE(model->TakesSamples());
  constexpr int kCount = 4, kHeight = 321, kWidth = 481, kTimes = 10;
  const SampleForm form;
  std::vector<std::byte> pictures(kCount * form.Bytes(kHeight, kWidth));
  for (size_t i = 0; i < pictures.size(); ++i)
    pictures[i] =
        static_cast<std::byte>(std::lround(127.5 + 127.5 * std::sin(0.37 * static_cast<double>(i))));
  std::vector<std::byte> results[2];
  for (const Precision precision : {Precision::kFloat32, Precision::kHalf}) {
    std::vector<std::byte>& result = results[precision == Precision::kHalf];
    result.resize(16 * pictures.size());
    std::vector<SampleImage> images;
    for (size_t i = 0; i < kCount; ++i)
      images.push_back({pictures.data() + i * form.Bytes(kHeight, kWidth),
                        result.data() + i * form.Bytes(4 * kHeight, 4 * kWidth)});
    Result<std::unique_ptr<ModelStream>> stream = model->OpenStream(WorkPlace::Device(0), precision);
    if (!stream) FAIL(stream.error().message);
    auto start = std::chrono::steady_clock::now();
    for (int time = 0; time <= kTimes; ++time) {
      if (time == 1) start = std::chrono::steady_clock::now();  // the first one loads kernels
      const Status ran = (*stream)->RunSamples(images, form, kCount, kHeight, kWidth);
      if (!ran) FAIL(ran.error().message);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    MESSAGE((precision == Precision::kHalf ? "half precision" : "float32")
            << ", one stream, samples: output megapixels a second: "
            << 16.0 * kTimes * kCount * kHeight * kWidth / seconds / 1e6);
    CHECK((*stream)->beyond_half() == 0);
  }
  int most = 0;
  for (size_t i = 0; i < results[0].size(); ++i)
    most =
        std::max(most, std::abs(std::to_integer<int>(results[0][i]) - std::to_integer<int>(results[1][i])));
  MESSAGE("half precision: at most " << most << " of 255 levels from float32");
  CHECK(most <= 1);
}

TEST_CASE("accelerator: exhaustion is an error code, and the device continues afterwards") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  const auto model = Load(*house, SmallCompact(folder, 64, 4, 4, true, ""));
  Device& device = house->manager->device(0);
  // A picture whose activations alone are twice the device's memory: 64 channels of 4 bytes a pixel, three of
  // them.
  const double pixels = 2.0 * static_cast<double>(device.Stats().total) / (3 * 64 * 4);
  const int side = static_cast<int>(std::sqrt(pixels));
  const size_t input = 3 * static_cast<size_t>(side) * static_cast<size_t>(side) * sizeof(float);
  if (input * 17 < house->manager->host_budget()) {
    Buffer picture(input), output(input * 16);
    const Status ran =
        model->Forward(reinterpret_cast<const float*>(picture.data()),
                       reinterpret_cast<float*>(output.data()), 1, side, side, WorkPlace::Device(0));
    REQUIRE(!ran.ok());
    CHECK(ran.error().code == Code::kOutOfMemory);
  } else {
    MESSAGE("the host has too little memory for a picture that the device cannot hold");
  }
  CHECK(device.Canary().ok());
  std::vector<float> small(3 * 64 * 64, 0.5f), enlarged(small.size() * 16);
  CHECK(model->Forward(small.data(), enlarged.data(), 1, 64, 64, WorkPlace::Device(0)).ok());
  const DeviceStats before = device.Stats();
  CHECK(device.EmptyCache() > 0);
  CHECK(device.Stats().reserved < before.reserved);
  CHECK(device.Stats().allocated == before.allocated);
}

TEST_CASE("accelerator: unloading a model gives its memory back, and the forecast holds") {
  const auto house = WithAccelerator();
  if (!house) return;
  const WeightFolder folder;
  Device& device = house->manager->device(0);
  const size_t before = device.Stats().allocated;
  {
    const auto model = Load(*house, SmallCompact(folder, 64, 18, 4, true, ""));
    std::vector<float> picture(3 * 552 * 552, 0.5f), output(picture.size() * 16);
    for (int i = 0; i < 3; ++i) {
      device.ResetPeak();
      const size_t held = device.Stats().allocated;
      const auto start = std::chrono::steady_clock::now();
      const Status ran = model->Forward(picture.data(), output.data(), 1, 552, 552, WorkPlace::Device(0));
      if (!ran) FAIL(ran.error().message);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      const size_t peak = device.Stats().peak_allocated - held;
      MESSAGE("output megapixels a second: " << 552 * 552 * 16 / seconds / 1e6 << ", peak " << (peak >> 20)
                                             << " MiB, forecast "
                                             << (model->Cost(1, 552, 552, WorkPlace::Device(0)).bytes >> 20));
      if (i > 0) CHECK(peak <= model->Cost(1, 552, 552, WorkPlace::Device(0)).bytes);
    }
  }
  CHECK(device.Stats().allocated == before);
}
