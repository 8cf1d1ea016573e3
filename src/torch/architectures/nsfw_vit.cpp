// Vision transformers (Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020) that tell images which are
// not safe for work from others: the score is the share of that class, 0 to 1.
//
// Layouts: transformers' ViTForImageClassification (Falconsai/nsfw_image_detection,
// AdamCodd/vit-base-nsfw-detector), whose second class is NSFW, and timm's (Marqo/nsfw-image-detection-384),
// whose first is. No tensor says so: the metadata "nsfw_class" (0 or 1) says otherwise.
#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/embed_network.h"
#include "torch/architectures/patch_embedding.h"
#include "torch/architectures/vit_blocks.h"

namespace imgmill {
namespace {

constexpr int64_t kClasses = 2;

struct Layout {
  std::string token, positions, patches, blocks, after, classes;
  VitNames block;
  double epsilon = 0;
  int64_t nsfw_class = 0;
  bool squashed = false;  ///< images are; otherwise a square is cut from the middle
};

Layout HuggingFace() {
  return {.token = "vit.embeddings.cls_token",
          .positions = "vit.embeddings.position_embeddings",
          .patches = "vit.embeddings.patch_embeddings.projection",
          .blocks = "vit.encoder.layer.",
          .after = "vit.layernorm",
          .classes = "classifier",
          .block = {.norm1 = "layernorm_before",
                    .norm2 = "layernorm_after",
                    .query = "attention.attention.query",
                    .key = "attention.attention.key",
                    .value = "attention.attention.value",
                    .out = "attention.output.dense",
                    .up = "intermediate.dense",
                    .down = "output.dense"},
          .epsilon = 1e-12,
          .nsfw_class = 1,
          .squashed = true};
}

Layout Timm() {
  return {.token = "cls_token",
          .positions = "pos_embed",
          .patches = "patch_embed.proj",
          .blocks = "blocks.",
          .after = "norm",
          .classes = "head",
          .block = {.norm1 = "norm1",
                    .norm2 = "norm2",
                    .qkv_weight = "attn.qkv.weight",
                    .qkv_bias = "attn.qkv.bias",
                    .out = "attn.proj",
                    .up = "mlp.fc1",
                    .down = "mlp.fc2"},
          .epsilon = 1e-6};
}

struct Plan {
  Layout layout;
  VitShape shape;
  int blocks = 0;
  int64_t patch = 0, grid = 0;
  int64_t classes = 0;
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  // timm's names are those of other transformers, too.
  for (const char* other : {"norm_pre.weight", "blocks.0.ls1.gamma", "blocks.0.gamma_1", "reg_token"}) {
    if (weights.Find(other) != nullptr) return false;
  }
  for (Layout layout : {HuggingFace(), Timm()}) {
    const WeightTensor* patches = weights.Find(layout.patches + ".weight");
    const WeightTensor* positions = weights.Find(layout.positions);
    const WeightTensor* classes = weights.Find(layout.classes + ".weight");
    if (patches == nullptr || positions == nullptr || classes == nullptr ||
        weights.Find(layout.token) == nullptr)
      continue;
    const int64_t width = patches->dim(0);
    plan.shape = {width, TowerHeads(width), layout.epsilon, VitActivation::kGelu};
    plan.patch = patches->dim(2);
    plan.grid = SideOfSquare(positions->dim(1) - 1);
    plan.blocks = CountBlocks(weights, layout.blocks, "." + layout.block.norm1 + ".weight");
    plan.classes = classes->dim(0);
    // timm's names are those of classifiers of anything.
    if (!layout.squashed && plan.classes != kClasses) return false;
    plan.layout = std::move(layout);
    return plan.blocks > 0 && plan.grid > 0 && plan.patch > 0 && width > 0 && width % plan.shape.heads == 0;
  }
  return false;
}

class NsfwVit final : public EmbedNet {
 public:
  NsfwVit(const Plan& plan, Layers& layers) : nsfw_class_(plan.layout.nsfw_class) {
    const Layout& layout = plan.layout;
    const int64_t width = plan.shape.width;
    patches_ = PatchEmbedding(
        layers.Conv(layout.patches, width, 3, {.side = plan.patch, .stride = plan.patch, .padding = 0}));
    token_ = layers.Parameter(layout.token, {1, 1, width});
    positions_ = layers.Parameter(layout.positions, {1, plan.grid * plan.grid + 1, width});
    for (int i = 0; i < plan.blocks; ++i)
      blocks_.emplace_back(layout.block, layout.blocks + std::to_string(i) + ".", plan.shape, layers);
    after_ = layers.Norm(layout.after, width, layout.epsilon);
    classes_ = layers.Dense(layout.classes, kClasses, width);
    layers.PassOverBelow("vit.pooler.");
  }

  torch::Tensor Forward(const torch::Tensor& input) const override {
    torch::Tensor x = patches_(input).flatten(2).transpose(1, 2);
    x = torch::cat({token_.expand({x.size(0), -1, -1}), x}, 1) + positions_;
    for (const VitBlock& block : blocks_) x = block(x);
    return torch::softmax(classes_(after_(x.select(1, 0))), 1).narrow(1, nsfw_class_, 1);
  }

 private:
  int64_t nsfw_class_;
  PatchEmbedding patches_;
  torch::Tensor token_, positions_;
  std::vector<VitBlock> blocks_;
  LayerNorm after_;
  Linear classes_;
};

class NsfwVitArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "NSFW ViT"; }
  std::string_view known_by() const override {
    return "Falconsai's and AdamCodd's NSFW detectors, Marqo's nsfw-image-detection-384";
  }
  ModelTask task() const override { return ModelTask::kScore; }

  std::string VariantOf(const Plan& plan) const override {
    return "NSFW ViT of " + std::to_string(plan.shape.width) + " features, patch " +
           std::to_string(plan.patch);
  }

  std::vector<Telltales> telltales() const override {
    return {{"vit.embeddings.cls_token", "vit.encoder.layer.0.layernorm_before.weight", "classifier.weight"},
            {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "pos_embed", "head.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    if (plan.classes != kClasses) {
      return WeightError("its " + plan.layout.classes + " tells " + std::to_string(plan.classes) +
                         " classes apart, not the two of images that are safe for work or not");
    }
    if (const auto told = weights->metadata.find("nsfw_class"); told == weights->metadata.end()) {
      info.assumed = "class " + std::to_string(plan.layout.nsfw_class) + " of 0 and 1 is NSFW";
    } else if (told->second == "0" || told->second == "1") {
      plan.layout.nsfw_class = told->second == "1" ? 1 : 0;
    } else {
      return WeightError("its nsfw_class is \"" + told->second + "\", neither 0 nor 1");
    }
    info.score = "nsfw";
    ModelInput input = PlainInput(static_cast<int>(plan.grid * plan.patch),
                                  plan.layout.squashed ? ResizeFilter::kTriangle : ResizeFilter::kCubic);
    if (!plan.layout.squashed) {
      input.rule = SquareRule::kShorter;
      input.shorter = input.side;
    }
    return LoadEmbedLayers<NsfwVit>(plan, input, std::move(info), std::move(weights));
  }
};

const NsfwVitArchitecture instance;

}  // namespace

extern const Architecture& kNsfwVit;
const Architecture& kNsfwVit = instance;

}  // namespace imgmill
