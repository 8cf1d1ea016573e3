// The image tower of CLIP as a vision transformer (Radford et al., "Learning Transferable Visual Models From
// Natural Language Supervision", 2021): patches and a class token, pre-norm blocks, and the class token's
// features projected to the space that images and texts share. B/32, B/16, L/14 and any other width and
// patch.
//
// Layouts: OpenAI's and OpenCLIP's (visual.conv1, visual.transformer.resblocks.0.attn.in_proj_weight; with or
// without `visual.`), and Hugging Face's (vision_model.encoder.layers.0.self_attn.q_proj, and without
// `vision_model.` where the tower was saved alone). The text tower,
// where the file has it, is clip_text.cpp's.
#include <algorithm>
#include <functional>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/clip_names.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

/// What a layout calls the tensors beside the blocks'.
struct Layout {
  std::string patches, classes, positions, norm_before, norm_after, projection, blocks;
  VitNames block;
  bool hugging_face = false;
};

Layout OpenAi(const std::string& tower) {
  return {.patches = tower + "conv1",
          .classes = tower + "class_embedding",
          .positions = tower + "positional_embedding",
          .norm_before = tower + "ln_pre",
          .norm_after = tower + "ln_post",
          .projection = tower + "proj",
          .blocks = tower + "transformer.resblocks.",
          .block = OpenAiBlockNames()};
}

/// @param tower  "vision_model.", or nothing where the tower was saved by itself
Layout HuggingFace(const std::string& tower) {
  return {.patches = tower + "embeddings.patch_embedding",
          .classes = tower + "embeddings.class_embedding",
          .positions = tower + "embeddings.position_embedding.weight",
          .norm_before = tower + "pre_layrnorm",  // so it is spelled
          .norm_after = tower + "post_layernorm",
          .projection = "visual_projection.weight",
          .blocks = tower + "encoder.layers.",
          .block = HuggingFaceBlockNames(),
          .hugging_face = true};
}

struct Plan {
  Layout layout;
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0, grid = 0;
  int64_t dimension = 0;  ///< 0: the features are not projected
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  for (const Layout& layout :
       {OpenAi("visual."), OpenAi(""), HuggingFace("vision_model."), HuggingFace("")}) {
    const WeightTensor* patches = weights.Find(layout.patches + ".weight");
    const WeightTensor* positions = weights.Find(layout.positions);
    if (patches == nullptr || positions == nullptr || weights.Find(layout.classes) == nullptr ||
        weights.Find(layout.norm_before + ".weight") == nullptr) {
      continue;
    }
    plan.shape.width = patches->dim(0);
    plan.shape.heads = TowerHeads(plan.shape.width);
    plan.patch = patches->dim(2);
    plan.grid = SideOfSquare(positions->dim(0) - 1);
    plan.blocks = CountBlocks(weights, layout.blocks, "." + layout.block.norm1 + ".weight");
    const WeightTensor* projection = weights.Find(layout.projection);
    plan.dimension = projection == nullptr ? 0 : projection->dim(layout.hugging_face ? 0 : 1);
    plan.layout = layout;
    return plan.blocks > 0 && plan.grid > 0 && plan.patch > 0 && plan.shape.width % plan.shape.heads == 0;
  }
  return false;
}

class ClipTower final : public EmbedNet {
 public:
  ClipTower(const Plan& plan, Layers& layers) {
    const Layout& layout = plan.layout;
    const int64_t width = plan.shape.width;
    patches_ = PatchEmbedding(layers.Conv(
        layout.patches, width, 3, {.side = plan.patch, .stride = plan.patch, .padding = 0, .bias = false}));
    classes_ = layers.Parameter(layout.classes, {width});
    positions_ = layers.Parameter(layout.positions, {plan.grid * plan.grid + 1, width});
    before_ = layers.Norm(layout.norm_before, width);
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(layout.block, layout.blocks + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm(layout.norm_after, width);
    if (plan.dimension > 0 && layout.hugging_face) {
      projection_ = PackedLinear({layers.Parameter(layout.projection, {plan.dimension, width}), {}});
    } else if (plan.dimension > 0) {
      const torch::Tensor transposed = layers.Parameter(layout.projection, {width, plan.dimension});
      if (transposed.defined()) projection_ = PackedLinear({transposed.t(), {}});
    }
    const bool apart =
        positions_.defined() && patches_.packed() && projection_.exists() == projection_.packed() &&
        std::all_of(blocks_.begin(), blocks_.end(), std::mem_fn(&VitBlock::keeps_images_apart));
    rows_an_image_ = apart ? positions_.size(0) : 0;
    for (const char* text : {"transformer.", "token_embedding.", "ln_final.", "text."})
      if (layout.patches != "conv1") layers.PassOverBelow(text);
    layers.PassOverBelow("text_model.");
    layers.PassOverBelow("text_projection");
    if (layout.patches != "conv1") layers.PassOver("positional_embedding");
    PassOverClipNumbers(layers);
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input).flatten(2).transpose(1, 2);
    x = torch::cat({classes_.expand({x.size(0), 1, -1}), x}, 1) + positions_;
    x = before_(x);
    for (const VitBlock& block : blocks_) x = block(x);
    x = after_(x.select(1, 0));
    return projection_.exists() ? projection_(x) : x;
  }

  int64_t RowsAnImage() const override { return rows_an_image_; }

 private:
  PatchEmbedding patches_;
  torch::Tensor classes_, positions_;
  PackedLinear projection_;
  LayerNorm before_, after_;
  std::vector<VitBlock> blocks_;
  int64_t rows_an_image_ = 0;
};

class ClipArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "CLIP ViT"; }
  std::string_view known_by() const override { return "OpenAI's CLIP, OpenCLIP"; }
  ModelTask task() const override { return ModelTask::kEmbed; }

  std::string VariantOf(const Plan& plan) const override {
    return "CLIP ViT of " + std::to_string(plan.shape.width) + " features, patch " +
           std::to_string(plan.patch);
  }

  std::vector<Telltales> telltales() const override {
    return {{"visual.class_embedding", "visual.conv1.weight", "visual.ln_pre.weight", "visual.proj"},
            {"vision_model.embeddings.class_embedding", "vision_model.pre_layrnorm.weight",
             "visual_projection.weight"},
            {"embeddings.class_embedding", "pre_layrnorm.weight", "post_layernorm.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    plan.shape.activation = TRY(ClipActivation(*weights, plan.layout.hugging_face, info.assumed));
    ModelInput input = ClipInput(static_cast<int>(plan.grid * plan.patch));
    input.crop_floors = plan.layout.hugging_face;
    return LoadEmbedLayers<ClipTower>(plan, input, std::move(info), std::move(weights));
  }
};

const ClipArchitecture instance;

}  // namespace

extern const Architecture& kClipVit;
const Architecture& kClipVit = instance;

}  // namespace imgmill
