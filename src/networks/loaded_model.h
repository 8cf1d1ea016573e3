// A network on all devices of the runtime.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "networks/edge.h"
#include "networks/network.h"

namespace imgmill {

/// `Model` is UpscaleModel, EmbeddingModel, or BatchModel where it does not matter.
template <typename Model>
class LoadedModel final : public Model {
 public:
  LoadedModel(std::unique_ptr<Network> network, const DeviceSlots& slots) : network_(std::move(network)) {
    for (const std::shared_ptr<const DeviceSlot>& slot : slots.All())
      executors_.emplace(slot->place, network_->MakeExecutor(slot));
    network_->LetGoOfWeights();
  }

  const ModelInfo& info() const override { return network_->info(); }
  NumericsPlan Plan(const std::string& device_name) const override {
    return network_->Plan(device_name.substr(0, device_name.find(':')));
  }
  Result<std::unique_ptr<ModelStream>> OpenStream(WorkPlace place, Precision precision) override {
    const auto found = executors_.find(place);
    if (found != executors_.end()) {
      return AtEdge(Stage::kCompute, [&]() -> Result<std::unique_ptr<ModelStream>> {
        return found->second->OpenStream(precision);
      });
    }
    return Error{Stage::kCompute, Code::kInternal,
                 "no device " + std::to_string(place.device()) + " in this runtime"};
  }
  BatchCost Cost(int n, int height, int width, WorkPlace place) const override {
    return On(place).Cost(n, height, width);
  }
  /// As for Plan, all devices of a type are alike.
  bool HasHalf(const std::string& device_name) const override {
    return IsAccelerator(device_name) && AnyExecutor(&Executor::HasHalf);
  }
  bool TakesSamples() const override { return AnyExecutor(&Executor::TakesSamples); }
  int Streams(int device) const override { return On(WorkPlace::Device(device)).Streams(); }

 private:
  static bool IsAccelerator(const std::string& device_name) { return device_name.rfind("cpu", 0) != 0; }
  bool AnyExecutor(bool (Executor::*has)() const) const {
    return std::any_of(executors_.begin(), executors_.end(),
                       [&](const auto& entry) { return ((*entry.second).*has)(); });
  }
  /// What is no device of ours is forecast like the CPU.
  const Executor& On(WorkPlace place) const {
    const auto found = executors_.find(place);
    return *(found != executors_.end() ? found : executors_.find(kCpuRung))->second;
  }

  std::unique_ptr<Network> network_;
  std::map<WorkPlace, std::unique_ptr<Executor>> executors_;
};

}  // namespace imgmill
