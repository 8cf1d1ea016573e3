// LAION's aesthetic predictors: heads that judge the vectors of OpenAI's CLIP, from 0 to about 10.
//
// Two kinds, both linear from end to end: one layer on a vector of any CLIP (LAION-AI/aesthetic-predictor:
// `weight`, `bias`), and five layers without an activation between them on one of ViT-L/14 ("improved
// aesthetic predictor": layers.0, 2, 4, 6, 7). The vector is brought to length 1 first.
//
// A head says only how long its vectors are, not whose; OpenAI's CLIP was trained with QuickGELU, which is
// therefore what the tower in front of it is run with.
#include "torch/architectures/aesthetic_head.h"

#include "imgmill/base/path_text.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/layers.h"
#include "torch/vector_network.h"
#include "torch/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr char kClip[] = "CLIP ViT";

/// The names of the layers in front of ".weight", the first one first; none if this is no such head.
std::vector<std::string> LayersOf(const StateDict& weights) {
  const WeightTensor* only = weights.Find("weight");
  if (only != nullptr && only->shape.size() == 2 && only->dim(0) == 1 && weights.tensors.size() == 2)
    return {""};
  if (weights.tensors.size() != 10) return {};
  std::vector<std::string> names;
  for (const char* number : {"0", "2", "4", "6", "7"}) {
    names.push_back("layers." + std::string(number) + ".");
    const WeightTensor* layer = weights.Find(names.back() + "weight");
    if (layer == nullptr || layer->shape.size() != 2) return {};
  }
  return names;
}

class AestheticNetwork final : public VectorNetwork {
 public:
  explicit AestheticNetwork(ModelInfo info) : VectorNetwork(std::move(info)) {
    info_.score = "aesthetic";
    info_.dimension = 1;
    info_.input.reset();  // it is CLIP's
  }

  Status Read(const StateDict& weights) {
    Layers layers(weights, torch::kCPU);
    int64_t inputs = 0;
    for (const std::string& name : LayersOf(weights)) {
      Linear& layer = layers_.emplace_back();
      if (layers_.size() == 1) takes_ = inputs = layers.Side(name + "weight", 1);
      const int64_t out = layers.Outputs(name + "weight");
      layer.weight = layers.Parameter(name + "weight", {out, inputs});
      layer.bias = layers.Parameter(name + "bias", {out});
      inputs = out;
    }
    TRY(layers.Finish());
    if (inputs != 1)
      return WeightError("its last layer gives " + std::to_string(inputs) + " numbers, not one score");
    for (const auto& [name, tensor] : weights.tensors) {
      info_.weight_bytes += static_cast<size_t>(tensor.count()) * sizeof(float);
    }
    return {};
  }

  Status PutBefore(std::unique_ptr<Network> clip) {
    const ModelInfo& its = clip->info();
    if (!its.architecture.starts_with(kClip))
      return WeightError("it is no CLIP but a " + its.architecture +
                         ": an aesthetic head judges CLIP's vectors");
    if (its.dimension != takes_) {
      return WeightError("its vectors have " + std::to_string(its.dimension) +
                         " numbers, and the head of --scorer takes " + std::to_string(takes_) +
                         ": give the CLIP that it was trained on");
    }
    info_.input = its.input;
    info_.digest += " on " + its.digest;  // what it costs is learned of both
    info_.weight_bytes += its.weight_bytes;
    clip_ = std::unique_ptr<VectorNetwork>(static_cast<VectorNetwork*>(clip.release()));
    return TryOnOne(info_.input->side);
  }

  int64_t takes() const { return takes_; }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device device) override {
    if (clip_ == nullptr) return WeightError("it judges vectors of CLIP, which is not there");
    torch::Tensor x = TRY(clip_->Rows(input, device));
    x = x / x.norm(2, 1, /*keepdim=*/true);
    for (const Linear& layer : layers_) x = layer(x);
    return x;
  }

  std::unique_ptr<Executor> MakeExecutor(std::shared_ptr<const DeviceSlot> slot) override {
    // CLIP's own is not needed, but then it knows that its weights will be asked for there.
    if (clip_ != nullptr) clip_->MakeExecutor(slot);
    return VectorNetwork::MakeExecutor(std::move(slot));
  }

  void LetGoOfWeights() override {
    if (clip_ != nullptr) clip_->LetGoOfWeights();
  }

 private:
  std::vector<Linear> layers_;  ///< on the CPU, where CLIP's vectors are by then
  int64_t takes_ = 0;           ///< numbers in a vector
  std::unique_ptr<VectorNetwork> clip_;
};

class AestheticArchitecture final : public Architecture {
 public:
  std::string_view name() const override { return "aesthetic head"; }
  std::string_view known_by() const override {
    return "LAION's aesthetic predictor, improved aesthetic predictor";
  }
  ModelTask task() const override { return ModelTask::kScore; }

  std::string Variant(const StateDict& weights) const override {
    const std::vector<std::string> layers = LayersOf(weights);
    if (layers.empty()) return std::string(name());
    const int64_t takes = weights.Find(layers.front() + "weight")->dim(1);
    return "aesthetic head on CLIP vectors of " + std::to_string(takes);
  }

  std::vector<Telltales> telltales() const override {
    return {{"layers.0.weight", "layers.2.weight", "layers.4.weight", "layers.6.weight", "layers.7.weight"}};
  }

  bool Matches(const StateDict& weights) const override { return !LayersOf(weights).empty(); }

  Result<std::unique_ptr<Network>> Load(std::shared_ptr<const StateDict> weights,
                                        ModelInfo info) const override {
    auto network = std::make_unique<AestheticNetwork>(std::move(info));
    TRY(network->Read(*weights));
    return std::unique_ptr<Network>(std::move(network));
  }
};

const AestheticArchitecture instance;

}  // namespace

Status PutClipBefore(Network& scorer, const std::string& clip, int threads) {
  auto* const head = dynamic_cast<AestheticNetwork*>(&scorer);
  if (head == nullptr) return {};
  if (clip.empty()) {
    return WeightError("it judges vectors of CLIP of " + std::to_string(head->takes()) +
                       " numbers: give CLIP's weights, too, with --scorer-clip FILE");
  }
  EmbedderRequest request;
  request.activation = "quickgelu";
  const auto put = [&]() -> Status {
    std::unique_ptr<Network> tower = TRY(LoadStateDict(clip, threads, ModelTask::kEmbed, request));
    return head->PutBefore(std::move(tower));
  };
  Status loaded = put();
  if (loaded) return {};
  Error error = loaded.error();
  error.message = "its CLIP " + PrintablePath(clip) + ": " + error.message;
  return error;
}

extern const Architecture& kAestheticHead;
const Architecture& kAestheticHead = instance;

}  // namespace imgmill
