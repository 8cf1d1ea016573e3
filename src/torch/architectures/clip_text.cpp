// The text tower of CLIP (Radford et al., "Learning Transferable Visual Models From Natural Language
// Supervision", 2021): tokens, pre-norm blocks that see only what was before, and the features of the end of
// the text, projected to the space that images and texts share.
//
// Layouts: OpenAI's and OpenCLIP's (token_embedding, transformer.resblocks.0.attn.in_proj_weight; also with
// `text.` in front) and Hugging Face's (text_model.encoder.layers.0.self_attn.q_proj). The image tower is
// clip_vit.cpp's, whose activation this one shares.
#include "torch/architectures/clip_text.h"

#include <algorithm>

#include "base/try.h"
#include "networks/edge.h"
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_names.h"
#include "torch/libtorch_settings.h"
#include "torch/vector_network.h"

namespace imgmill {

extern const Architecture& kClipVit;

namespace {

struct Plan {
  std::string tokens, positions, norm_after, projection, blocks;
  bool projection_is_layer = false;  ///< out x in, and perhaps with a bias; else a matrix of in x out
  bool hugging_face = false;
  VitNames names;
  VitShape shape;
  int count = 0;
  int64_t vocabulary = 0, context = 0;
  int64_t dimension = 0;  ///< of the vector
};

Plan OpenAi(const std::string& tower) {
  Plan plan;
  plan.tokens = tower + "token_embedding.weight";
  plan.positions = tower + "positional_embedding";
  plan.norm_after = tower + "ln_final";
  plan.projection = tower + "text_projection";
  plan.blocks = tower + "transformer.resblocks.";
  plan.names = OpenAiBlockNames();
  return plan;
}

Plan HuggingFace() {
  Plan plan;
  plan.tokens = "text_model.embeddings.token_embedding.weight";
  plan.positions = "text_model.embeddings.position_embedding.weight";
  plan.norm_after = "text_model.final_layer_norm";
  plan.projection = "text_projection";
  plan.blocks = "text_model.encoder.layers.";
  plan.names = HuggingFaceBlockNames();
  plan.hugging_face = true;
  return plan;
}

bool ReadPlan(const StateDict& weights, Plan& found) {
  for (Plan plan : {OpenAi(""), OpenAi("text."), HuggingFace()}) {
    const WeightTensor* tokens = weights.Find(plan.tokens);
    const WeightTensor* positions = weights.Find(plan.positions);
    if (tokens == nullptr || positions == nullptr) continue;
    plan.vocabulary = tokens->dim(0);
    plan.context = positions->dim(0);
    plan.shape.width = plan.dimension = tokens->dim(1);
    plan.shape.heads = std::max<int64_t>(1, plan.shape.width / 64);
    plan.shape.causal = true;
    plan.count = CountBlocks(weights, plan.blocks, "." + plan.names.norm1 + ".weight");
    if (const WeightTensor* layer = weights.Find(plan.projection + ".weight")) {
      plan.projection_is_layer = true;
      plan.dimension = layer->dim(0);
    } else if (const WeightTensor* matrix = weights.Find(plan.projection)) {
      plan.dimension = matrix->dim(1);
    } else {
      plan.projection.clear();
    }
    found = plan;
    return plan.count > 0 && plan.vocabulary > 1 && plan.context > 1 && plan.dimension > 0 &&
           plan.shape.width > 0 && plan.shape.width % plan.shape.heads == 0;
  }
  return false;
}

class ClipText final : public TextModel {
 public:
  ClipText(const Plan& plan, ModelInfo info, Layers& layers)
      : info_(std::move(info)), context_(plan.context), vocabulary_(plan.vocabulary) {
    const int64_t width = plan.shape.width;
    info_.dimension = static_cast<int>(plan.dimension);
    tokens_ = layers.Parameter(plan.tokens, {plan.vocabulary, width});
    positions_ = layers.Parameter(plan.positions, {plan.context, width});
    for (int i = 0; i < plan.count; ++i)
      blocks_.emplace_back(plan.names, plan.blocks + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm(plan.norm_after, width);
    if (plan.projection_is_layer) {
      projection_ =
          DenseOf(layers, plan.projection + ".weight", plan.projection + ".bias", plan.dimension, width);
    } else if (!plan.projection.empty()) {
      projection_.weight = layers.Parameter(plan.projection, {width, plan.dimension});
      if (projection_.weight.defined()) projection_.weight = projection_.weight.t().contiguous();
    }
    for (const char* image : {"visual.", "vision_model.", "visual_projection."}) layers.PassOverBelow(image);
    PassOverClipNumbers(layers);
    layers.PassOver("text.attn_mask");
  }

  const ModelInfo& info() const override { return info_; }
  int context() const override { return static_cast<int>(context_); }
  int vocabulary() const override { return static_cast<int>(vocabulary_); }
  Footprint Cost() const override { return {bytes_a_text_, kHostWorkspace}; }

  Status Embed(std::span<const int32_t> tokens, std::span<float> vector) override {
    return AtEdge(Stage::kCompute, [&]() -> Status {
      const bool known = std::all_of(tokens.begin(), tokens.end(),
                                     [&](int32_t token) { return token >= 0 && token < vocabulary_; });
      if (tokens.empty() || tokens.size() > static_cast<size_t>(context_) || !known ||
          vector.size() != static_cast<size_t>(info_.dimension)) {
        return Error{Stage::kCompute, Code::kInternal, "these tokens do not suit " + info_.architecture};
      }
      const PoolScope pool(HostPool());
      const torch::Tensor features = Forward(tokens);
      std::copy_n(features.const_data_ptr<float>(), vector.size(), vector.begin());
      return {};
    });
  }

  /// Runs the longest text, to learn what one costs.
  Status TryOnOne() {
    std::vector<int32_t> tokens(static_cast<size_t>(context_));
    tokens.back() = 1;
    return ExplainedAndMeasured("its text tower does not take a text", bytes_a_text_,
                                [&] { Forward(tokens); });
  }

 private:
  /// What follows the end of the text, which has the greatest number of all tokens, is seen by none before
  /// it: it is left out.
  torch::Tensor Forward(std::span<const int32_t> tokens) const {
    const c10::InferenceMode inference;
    // Products of matrices, cut for several threads, come out with other last bits for each number of them.
    const LibTorchThreads one(1);
    const auto end = std::max_element(tokens.begin(), tokens.end());
    const int64_t length = end - tokens.begin() + 1;
    const torch::Tensor ids =
        torch::tensor(torch::ArrayRef<int32_t>(tokens.data(), static_cast<size_t>(length)), torch::kInt32);
    torch::Tensor x = torch::embedding(tokens_, ids).add_(positions_.narrow(0, 0, length)).unsqueeze(0);
    for (const VitBlock& block : blocks_) x = block(x);
    x = after_(x.select(1, length - 1));
    return projection_.weight.defined() ? projection_(x) : x;
  }

  ModelInfo info_;
  const int64_t context_, vocabulary_;
  size_t bytes_a_text_ = 0;
  torch::Tensor tokens_, positions_;
  std::vector<VitBlock> blocks_;
  LayerNorm after_;
  Linear projection_;
};

Error NoTower(const std::string& why) {
  return {Stage::kConfigure, Code::kUsage, why};
}

}  // namespace

Result<std::unique_ptr<TextModel>> LoadClipText(const std::string& path, const EmbedderRequest& request) {
  StateDict weights = TRY(ReadStateDict(path));
  if (!request.activation.empty()) weights.metadata["activation"] = request.activation;
  const Architecture* architecture = TRY(DetectArchitecture(weights));
  const std::string variant = architecture->Variant(weights);
  if (variant.starts_with("SigLIP")) {
    return NoTower(
        "it is a SigLIP, whose tokenizer (SentencePiece) imgmill does not have: texts are taken by CLIP "
        "only");
  }
  Plan plan;
  if (architecture != &kClipVit || !ReadPlan(weights, plan)) {
    return NoTower("it has no text tower that imgmill knows (" + variant +
                   "): texts need the weights of a CLIP with both towers");
  }
  TRY(CheckFinite(weights));
  ModelInfo info;
  info.architecture = "CLIP text tower of " + std::to_string(plan.shape.width) + " features, " +
                      std::to_string(plan.count) + " blocks";
  info.library = LibTorchVersion();
  plan.shape.activation = TRY(ClipActivation(weights, plan.hugging_face, info.assumed));
  Layers layers(weights, torch::kCPU);
  auto model = std::make_unique<ClipText>(plan, std::move(info), layers);
  TRY(layers.Finish());
  weights = {};  // the trial needs room
  TRY(model->TryOnOne());
  return std::unique_ptr<TextModel>(std::move(model));
}

}  // namespace imgmill
