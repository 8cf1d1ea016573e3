// A manager and a runtime whose device 0 is the card made of host memory, and pictures for it.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "host_card.h"
#include "imgmill/infer/model_runtime.h"
#include "torch/accelerator_house.h"
#include "torch/small_network.h"

namespace imgmill {

/// What its own card computes is LibTorch's, and so is what the CPU gives.
inline House CardHouse(KernelChoice kernels = KernelChoice::kReference) {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  House house{*std::move(manager), nullptr};
  house.runtime = MakeTorchRuntime(*house.manager, 2, kernels);
  const Result<int> added = house.runtime->AddDevices("auto", 0);
  if (!added) FAIL(added.error().message);
  REQUIRE(house.manager->device(0).name() == "privateuseone:0");
  const Status woken = house.manager->WakeDevice(0);
  if (!woken) FAIL(woken.error().message);
  return house;
}

/// Rows of samples, and room for them enlarged.
struct SamplePicture {
  SamplePicture(const SampleForm& form_in, int height_in, int width_in, int scale, unsigned seed = 1)
      : form(form_in),
        height(height_in),
        width(width_in),
        in(form.Bytes(height, width)),
        out(form.Bytes(height * scale, width * scale)) {
    std::mt19937 random(seed);
    for (std::byte& byte : in) byte = static_cast<std::byte>(random());
  }
  SampleImage image() { return {in.data(), out.data()}; }

  SampleForm form;
  int height, width;
  std::vector<std::byte> in, out;
};

inline std::unique_ptr<ModelStream> OpenStream(UpscaleModel& model, WorkPlace place,
                                               Precision precision = Precision::kFloat32) {
  Result<std::unique_ptr<ModelStream>> stream = model.OpenStream(place, precision);
  if (!stream) FAIL(stream.error().message);
  return *std::move(stream);
}

inline void Enlarge(ModelStream& stream, SamplePicture& picture) {
  const SampleImage image = picture.image();
  const Status ran = stream.RunSamples({&image, 1}, picture.form, 1, picture.height, picture.width);
  if (!ran) FAIL(ran.error().message);
}

}  // namespace imgmill
