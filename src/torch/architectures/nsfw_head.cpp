// LAION's CLIP-based NSFW detectors: heads that say of CLIP's vector how likely the image is not safe for
// work, 0 to 1.
//
// Two kinds. Those on OpenAI's ViT-B/32 and ViT-L/14 were trained by AutoKeras and published a second time
// for PyTorch: `norm.mean` and `norm.variance` of the vector's numbers, then linear_1, linear_2, ... with
// ReLU between them, and a sigmoid. The one on OpenCLIP's ViT-H/14 is `layers.0`, 3, 6, 9, 12 with ReLU
// behind each, then 15 and 16, which are linear: what it gives can lie a little outside of 0 to 1.
#include "torch/architectures/clip_head_architecture.h"
#include "torch/architectures/layers.h"

namespace imgmill {
namespace {

bool ReadNormalized(const StateDict& weights, ClipHeadPlan& plan) {
  if (weights.Find("norm.mean") == nullptr && weights.Find("norm.variance") == nullptr) return false;
  const auto name = [](int number) { return "linear_" + std::to_string(number) + "."; };
  const int count = CountOf(weights, 1, [&](int number) { return name(number) + "weight"; });
  if (count < 2) return false;
  for (int i = 1; i <= count; ++i) plan.layers.push_back({name(i), /*relu=*/i < count});
  plan.norm = "norm.";
  plan.sigmoid = true;
  plan.activation = "quickgelu";  // as OpenAI trained
  return true;
}

bool ReadNumbered(const StateDict& weights, ClipHeadPlan& plan) {
  for (const int number : {0, 3, 6, 9, 12, 15, 16}) {
    const std::string name = "layers." + std::to_string(number) + ".";
    if (weights.Find(name + "weight") == nullptr) return false;
    plan.layers.push_back({name, /*relu=*/number < 15});
  }
  plan.activation = "gelu";  // as OpenCLIP trained ViT-H/14
  return true;
}

bool ReadPlan(const StateDict& weights, ClipHeadPlan& plan) {
  plan.kind = "NSFW head";
  plan.signal = "nsfw";
  if (ReadNormalized(weights, plan)) return true;
  plan.layers.clear();
  return ReadNumbered(weights, plan);
}

class NsfwHeadArchitecture final : public ClipHeadArchitecture<ReadPlan> {
 public:
  std::string_view name() const override { return "NSFW head"; }
  std::string_view known_by() const override { return "LAION's CLIP-based NSFW detectors"; }
  std::vector<Telltales> telltales() const override {
    return {{"norm.mean", "norm.variance", "linear_1.weight", "linear_2.weight", "linear_3.weight"},
            {"layers.0.weight", "layers.3.weight", "layers.6.weight", "layers.9.weight", "layers.12.weight",
             "layers.15.weight", "layers.16.weight"}};
  }
};

const NsfwHeadArchitecture instance;

}  // namespace

extern const Architecture& kNsfwHead;
const Architecture& kNsfwHead = instance;

}  // namespace imgmill
