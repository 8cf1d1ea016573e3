// Keys, probes and the two parts of a batch's cost.
#include "batch_costs.h"

#include <algorithm>

namespace imgmill {
namespace {

/// Sides of the probes: large enough to be no rounding, small enough to fit anywhere.
constexpr int kProbeSides[] = {64, 128};

/// One probe as work for the ladder, so that a full device is no error.
class ProbeWork final : public LadderWork {
 public:
  ProbeWork(BatchModel& model, int side)
      : model_(model),
        side_(side),
        input_(HostPool(), 3 * static_cast<size_t>(side * side) * sizeof(float)),
        output_(HostPool(), model.OutputFloats(side, side) * sizeof(float)) {
    auto* planes = reinterpret_cast<float*>(input_.data());
    std::fill(planes, planes + 3 * side * side, 0.5f);
  }
  BatchLabel label() const override {
    return {model_.info().architecture + " probe", {1, side_, side_}, {1, 0}};
  }
  Status Run(const Attempt& attempt) override {
    return model_.Forward(reinterpret_cast<const float*>(input_.data()),
                          reinterpret_cast<float*>(output_.data()), 1, side_, side_, attempt.place);
  }

 private:
  BatchModel& model_;
  const int side_;
  Buffer input_;
  Buffer output_;
};

int RoundUp(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

BatchCosts::BatchCosts(BatchModel& model, const NumericsPlan& plan, MemoryManager& memory)
    : model_(model), plan_(plan), memory_(memory) {
  const ModelInfo& info = model.info();
  for (int device = 0; device < memory.device_count(); ++device) {
    costs_.push_back(memory.Costs(
        {info.architecture + " x" + std::to_string(info.scale) + " " + info.digest + " " + plan.kernels,
         std::string(ToString(plan.precision)), memory.device(device).name(), info.threads, info.library}));
  }
}

bool BatchCosts::Learns(int device) const {
  return !model_.Cost(1, kProbeSides[0], kProbeSides[0], WorkPlace::Device(device)).exact;
}

Status BatchCosts::Probe(int largest_tile, const StopFlag& stop) {
  if (model_.info().dimension > 0)
    return {};  // it takes images of one size: what it was tried on when loaded
  for (int device = 0; device < memory_.device_count(); ++device) {
    if (!Learns(device) || costs_[static_cast<size_t>(device)]->CanPredict()) continue;
    for (const int side : kProbeSides) {
      ProbeWork work(model_, std::min(largest_tile, RoundUp(side, std::max(1, model_.info().tile_grid))));
      // Twice: the first one also pays for weights on the device and for libraries' handles.
      for (int time = 0; time < 2; ++time) {
        const LadderOutcome outcome = memory_.Guarded(work, WorkPlace::Device(device), stop);
        if (!outcome.status && outcome.status.error().code == Code::kModelError) return outcome.status;
        if (time == 1) Learn(work.label().shape, device, outcome);
      }
    }
  }
  return {};
}

Footprint BatchCosts::Predict(int n, int height, int width, int device) const {
  const BatchCost forecast = model_.Cost(n, height, width, WorkPlace::Device(device));
  const size_t untracked = std::min(forecast.bytes, forecast.untracked);
  if (!forecast.exact) {
    const CostModel& costs = *costs_[static_cast<size_t>(device)];
    const BatchShape shape = {n, height, width};
    if (const auto seen = costs.Seen(shape)) return {*seen, untracked};
    if (costs.CanPredict()) return {costs.Predict(shape), untracked};
  }
  return {forecast.bytes - untracked, untracked};
}

bool BatchCosts::Knows(const BatchShape& shape, int device) const {
  return !Learns(device) || costs_[static_cast<size_t>(device)]->Seen(shape).has_value();
}

void BatchCosts::Learn(const BatchShape& shape, int device, const LadderOutcome& outcome) {
  const bool as_planned = outcome.status && outcome.rung <= Rung::kFewerInFlight;
  if (!as_planned || !Learns(device) || outcome.device_peak == 0) return;
  costs_[static_cast<size_t>(device)]->Observe(shape, outcome.device_peak);
}

}  // namespace imgmill
