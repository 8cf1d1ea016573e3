// LAION's aesthetic predictors: heads that judge the vectors of OpenAI's CLIP, from 0 to about 10.
//
// Two kinds, both linear from end to end: one layer on a vector of any CLIP (LAION-AI/aesthetic-predictor:
// `weight`, `bias`), and five layers without an activation between them on one of ViT-L/14 ("improved
// aesthetic predictor": layers.0, 2, 4, 6, 7). The vector is brought to length 1 first.
#include "torch/architectures/clip_head_architecture.h"

namespace imgmill {
namespace {

bool ReadPlan(const StateDict& weights, ClipHeadPlan& plan) {
  plan.kind = "aesthetic head";
  plan.signal = "aesthetic";
  plan.activation = "quickgelu";  // as OpenAI trained
  const WeightTensor* only = weights.Find("weight");
  if (only != nullptr && only->shape.size() == 2 && only->dim(0) == 1 && weights.tensors.size() == 2) {
    plan.layers = {{""}};
    return true;
  }
  if (weights.tensors.size() != 10) return false;
  for (const char* number : {"0", "2", "4", "6", "7"}) {
    const std::string name = "layers." + std::string(number) + ".";
    const WeightTensor* layer = weights.Find(name + "weight");
    if (layer == nullptr || layer->shape.size() != 2) return false;
    plan.layers.push_back({name});
  }
  return true;
}

class AestheticArchitecture final : public ClipHeadArchitecture<ReadPlan> {
 public:
  std::string_view name() const override { return "aesthetic head"; }
  std::string_view known_by() const override {
    return "LAION's aesthetic predictor, improved aesthetic predictor";
  }
  std::vector<Telltales> telltales() const override {
    return {{"layers.0.weight", "layers.2.weight", "layers.4.weight", "layers.6.weight", "layers.7.weight"}};
  }
};

const AestheticArchitecture instance;

}  // namespace

extern const Architecture& kAestheticHead;
const Architecture& kAestheticHead = instance;

}  // namespace imgmill
