// What architectures of heads that judge CLIP's vectors have in common: all but their names and tensors.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_head.h"

namespace imgmill {

/// @param kRead  as PlannedArchitecture takes it
template <auto kRead>
class ClipHeadArchitecture : public PlannedArchitecture<ClipHeadPlan, kRead> {
 public:
  ModelTask task() const final { return ModelTask::kScore; }

  std::string Variant(const StateDict& weights) const final {
    ClipHeadPlan plan;
    return kRead(weights, plan) ? imgmill::VariantOf(plan, weights) : std::string(this->name());
  }

  Result<std::unique_ptr<Network>> Build(ClipHeadPlan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const final {
    return LoadClipHead(plan, *weights, std::move(info));
  }
};

}  // namespace imgmill
