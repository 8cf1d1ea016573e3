// A head says only how long its vectors are, not whose. Which activation its CLIP was trained with is part of
// the head's plan, and the tower in front of it is run with that, whatever its layout.
#include "torch/architectures/clip_head.h"

#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/layers.h"
#include "torch/vector_network.h"

namespace imgmill {
namespace {

constexpr char kClip[] = "CLIP ViT";

/// Beside the deviation, so that a number that never varied divides by something.
constexpr double kLeastDeviation = 1e-10;

class ClipHeadNetwork final : public VectorNetwork {
 public:
  ClipHeadNetwork(ClipHeadPlan plan, ModelInfo info)
      : VectorNetwork(std::move(info)), plan_(std::move(plan)) {
    info_.score = plan_.signal;
    info_.dimension = 1;
    info_.input.reset();  // it is CLIP's
  }

  Status Read(const StateDict& weights) {
    Layers layers(weights, torch::kCPU);
    int64_t inputs = 0;
    for (const ClipHeadLayer& each : plan_.layers) {
      Linear& layer = layers_.emplace_back();
      if (layers_.size() == 1) takes_ = inputs = layers.Side(each.name + "weight", 1);
      const int64_t out = layers.Outputs(each.name + "weight");
      layer.weight = layers.Parameter(each.name + "weight", {out, inputs});
      layer.bias = layers.Parameter(each.name + "bias", {out});
      inputs = out;
    }
    if (!plan_.norm.empty()) {
      mean_ = layers.Parameter(plan_.norm + "mean", {takes_});
      deviation_ = layers.Parameter(plan_.norm + "variance", {takes_});
    }
    TRY(layers.Finish());
    if (inputs != 1)
      return WeightError("its last layer gives " + std::to_string(inputs) + " numbers, not one score");
    if (deviation_.defined()) {
      if ((deviation_ < 0).any().item<bool>())
        return WeightError("its " + plan_.norm + "variance has negative numbers");
      deviation_ = deviation_.sqrt().add_(kLeastDeviation);
    }
    for (const auto& [name, tensor] : weights.tensors) {
      info_.weight_bytes += static_cast<size_t>(tensor.count()) * sizeof(float);
    }
    return {};
  }

  Status PutBefore(std::unique_ptr<Network> clip) {
    const ModelInfo& its = clip->info();
    if (!its.architecture.starts_with(kClip)) {
      return WeightError("it is no CLIP but a " + its.architecture + ": the " + plan_.kind +
                         " judges CLIP's vectors");
    }
    if (its.dimension != takes_) {
      return WeightError("its vectors have " + std::to_string(its.dimension) +
                         " numbers, and the head of --scorer takes " + std::to_string(takes_) +
                         ": give the CLIP that it was trained on");
    }
    info_.input = its.input;
    // What it costs is learned of both, and whoever asks for a digest knows that this is a head.
    info_.digest += " on " + its.digest;
    info_.weight_bytes += its.weight_bytes;
    clip_ = std::unique_ptr<VectorNetwork>(static_cast<VectorNetwork*>(clip.release()));
    return TryOnOne(info_.input->side);
  }

  int64_t takes() const { return takes_; }
  const ClipHeadPlan& plan() const { return plan_; }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device device) override {
    if (clip_ == nullptr) return WeightError("it judges vectors of CLIP, which is not there");
    torch::Tensor x = TRY(clip_->Rows(input, device));
    x = x / x.norm(2, 1, /*keepdim=*/true);
    if (mean_.defined()) x = (x - mean_) / deviation_;
    for (size_t i = 0; i < layers_.size(); ++i) {
      x = layers_[i](x);
      if (plan_.layers[i].relu) x.relu_();
    }
    return plan_.sigmoid ? x.sigmoid_() : x;
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
  const ClipHeadPlan plan_;
  // On the CPU, where CLIP's vectors are by then.
  torch::Tensor mean_, deviation_;
  std::vector<Linear> layers_;
  int64_t takes_ = 0;  ///< numbers in a vector
  std::unique_ptr<VectorNetwork> clip_;
};

}  // namespace

std::string VariantOf(const ClipHeadPlan& plan, const StateDict& weights) {
  const WeightTensor* first = weights.Find(plan.layers.front().name + "weight");
  return plan.kind + " on CLIP vectors of " + std::to_string(first->dim(1));
}

Result<std::unique_ptr<Network>> LoadClipHead(const ClipHeadPlan& plan, const StateDict& weights,
                                              ModelInfo info) {
  auto network = std::make_unique<ClipHeadNetwork>(plan, std::move(info));
  TRY(network->Read(weights));
  return std::unique_ptr<Network>(std::move(network));
}

Status PutClipBefore(Network& scorer, const std::string& clip, int threads) {
  auto* const head = dynamic_cast<ClipHeadNetwork*>(&scorer);
  if (head == nullptr) return {};
  if (clip.empty()) {
    return WeightError("it judges vectors of CLIP of " + std::to_string(head->takes()) +
                       " numbers: give CLIP's weights, too, with --scorer-clip FILE");
  }
  EmbedderRequest request;
  request.activation = head->plan().activation;
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

}  // namespace imgmill
