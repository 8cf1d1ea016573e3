// A manager and a runtime with this machine's accelerator, for the tests that need one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "torch/doctest_beside_torch.h"
#include "torch/runtime.h"

namespace imgmill {

struct House {
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
};

/// A house whose device 0 is the first accelerator, with this budget if one is given; none where there is
/// none.
inline std::optional<House> WithAccelerator(size_t budget = 0) {
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  House house{*std::move(manager), nullptr};
  house.runtime = MakeTorchRuntime(*house.manager, 2);
  const Result<int> added = house.runtime->AddDevices("auto", budget);
  if (!added) FAIL(added.error().message);
  if (!house.manager->device(0).host_backed()) {
    const Status woken = house.manager->WakeDevice(0);
    if (!woken) FAIL(woken.error().message);
    return house;
  }
  MESSAGE("no GPU here");
  return std::nullopt;
}

inline std::unique_ptr<UpscaleModel> Load(const House& house, const std::string& path) {
  Result<std::unique_ptr<UpscaleModel>> model = house.runtime->LoadUpscaler(path);
  if (!model) FAIL(model.error().message);
  return *std::move(model);
}

}  // namespace imgmill
