// SCUNet (Zhang et al., "Practical Blind Image Denoising via Swin-Conv-UNet and Data Synthesis", 2022): a
// U-Net of four sizes, of blocks that give half of their channels to convolutions and half to attention in
// windows.
//
// Weights: m_head.0, m_down1.0.conv1_1, m_down1.0.trans_block.msa, m_body.0, m_up3.0, m_up3.1, m_tail.0. None
// of the convolutions that change the size, nor those of 3x3, have a bias.
#include <algorithm>
#include <array>

#include "networks/weights/weight_file.h"
#include "torch/architectures/architecture.h"
#include "torch/architectures/feature_maps.h"
#include "torch/architectures/packed_linear.h"
#include "torch/architectures/squares.h"
#include "torch/architectures/window_attention.h"

namespace imgmill {
namespace {

constexpr size_t kSizes = 4;
constexpr int64_t kWindow = 8;
constexpr int64_t kSquare = kWindow << (kSizes - 1);  ///< of the image: a window at the least size
constexpr int64_t kLeast = 40;  ///< side that smaller images are continued to first, by spandrel

struct Plan {
  int64_t bands = 3;
  int64_t features = 0;                  ///< at the image's size; twice as many at each size below
  int64_t heads = 0;                     ///< at the image's size, as well
  std::array<int, kSizes> down{}, up{};  ///< blocks at each size; all at the least size are in `down`

  int64_t Features(size_t size) const { return features << size; }
  /// In a block a pixel sees all of its window.
  int64_t radius() const {
    int64_t radius = 2 + kSquare - 1;
    for (size_t size = 0; size < kSizes; ++size) radius += (kWindow - 1) * (down[size] + up[size]) << size;
    return radius;
  }
};

std::string DownName(size_t size) {
  return size + 1 == kSizes ? "m_body" : "m_down" + std::to_string(size + 1);
}

std::string UpName(size_t size) {
  return "m_up" + std::to_string(size + 1);
}

int BlocksOf(const StateDict& weights, const std::string& name, int first) {
  return CountOf(weights, first, [&](int i) { return name + "." + std::to_string(i) + ".conv1_1.weight"; });
}

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* head = weights.Find("m_head.0.weight");
  const WeightTensor* table = weights.Find("m_down1.0.trans_block.msa.relative_position_params");
  if (head == nullptr || table == nullptr || weights.Find("m_tail.0.weight") == nullptr) return false;
  plan.bands = head->dim(1);
  plan.features = head->dim(0);
  plan.heads = table->dim(0);
  for (size_t size = 0; size < kSizes; ++size) {
    plan.down[size] = BlocksOf(weights, DownName(size), 0);
    if (size + 1 < kSizes) plan.up[size] = BlocksOf(weights, UpName(size), 1);
    if (plan.down[size] == 0) return false;
  }
  return (plan.bands == 1 || plan.bands == 3) && plan.features > 0 && plan.features % 2 == 0 &&
         plan.heads > 0 && plan.features / 2 % plan.heads == 0;
}

/// NAME.ln1, NAME.msa, NAME.ln2, NAME.mlp: attention in windows, and two layers for each pixel.
class FarHalf {
 public:
  FarHalf(Layers& layers, const std::string& name, int64_t features, int64_t heads, const WindowShape& window)
      : window_(window),
        heads_(heads),
        norm1_(layers.Norm(name + ".ln1", features)),
        norm2_(layers.Norm(name + ".ln2", features)),
        qkv_(layers.Dense(name + ".msa.embedding_layer", 3 * features, features)),
        out_(layers.Dense(name + ".msa.linear", features, features)),
        wide_(layers.Dense(name + ".mlp.0", 4 * features, features)),
        narrow_(layers.Dense(name + ".mlp.2", features, 4 * features)) {
    constexpr int64_t kOffsets = 2 * kWindow - 1;
    table_ = layers.Parameter(name + ".msa.relative_position_params", {heads, kOffsets, kOffsets});
    if (table_.defined()) table_ = table_.view({heads, kOffsets * kOffsets}).t().contiguous();
  }

  /// Changes the image, N x H x W x C.
  void operator()(torch::Tensor& image) const {
    const torch::Tensor index = RelativeIndex(kWindow, kWindow, image.device());
    image.add_(ForWindows(image, window_, RelativeBias(table_, index),
                          [&](const torch::Tensor& windows, const torch::Tensor& bias) {
                            const torch::Tensor qkv = SplitHeads(qkv_(norm1_(windows)), 3, heads_);
                            return out_(Attend(qkv[0], qkv[1], qkv[2], bias));
                          }));
    AddPerPixel(image, [&](const torch::Tensor& x) { return narrow_(wide_(norm2_(x), DenseEnd::kGelu)); });
  }

 private:
  WindowShape window_;
  int64_t heads_;
  LayerNorm norm1_, norm2_;
  PackedLinear qkv_, out_, wide_, narrow_;
  torch::Tensor table_;
};

/// NAME.conv1_1, halves: NAME.conv_block and NAME.trans_block, NAME.conv1_2; the input is added.
class SwinConvBlock {
 public:
  /// @param number  of the block among those of its size and way: every second one has shifted windows
  SwinConvBlock(Layers& layers, const std::string& name, int64_t features, int64_t heads, int number)
      : half_(features / 2),
        split_(layers.Conv(name + ".conv1_1", features, features, 1)),
        together_(layers.Conv(name + ".conv1_2", features, features, 1)),
        first_(layers.Conv(name + ".conv_block.0", half_, half_, {.bias = false})),
        second_(layers.Conv(name + ".conv_block.2", half_, half_, {.bias = false})),
        far_(layers, name + ".trans_block", half_, heads, Window(number)) {}

  torch::Tensor operator()(const torch::Tensor& x) const {
    const torch::Tensor halves = split_(x);
    const torch::Tensor near = halves.narrow(1, 0, half_);
    torch::Tensor far = Pixels(halves.narrow(1, half_, half_));
    far_(far);
    torch::Tensor found = first_(near);
    found = second_(found.relu_()).add_(near);
    return together_(torch::cat({found, Planes(far)}, 1)).add_(x);
  }

 private:
  static WindowShape Window(int number) {
    const int64_t shift = number % 2 == 0 ? 0 : kWindow / 2;
    return {.height = kWindow, .width = kWindow, .down = shift, .right = shift};
  }

  int64_t half_;
  Convolution split_, together_, first_, second_;
  FarHalf far_;
};

class ScuNet final : public UpscaleNet {
 public:
  ScuNet(const Plan& plan, Layers& layers)
      : head_(layers.Conv("m_head.0", plan.features, plan.bands, {.bias = false})),
        tail_(layers.Conv("m_tail.0", plan.bands, plan.features, {.bias = false})) {
    for (size_t i = 0; i < kSizes; ++i) {
      const int64_t features = plan.Features(i), heads = plan.heads << i;
      Size& size = sizes_.emplace_back();
      const auto blocks = [&](std::vector<SwinConvBlock>& to, const std::string& name, int first, int count) {
        for (int b = 0; b < count; ++b)
          to.emplace_back(layers, name + "." + std::to_string(first + b), features, heads, b);
      };
      blocks(size.down, DownName(i), 0, plan.down[i]);
      if (i + 1 == kSizes) return;
      size.halve = Halving(layers, DownName(i) + "." + std::to_string(plan.down[i]), 2 * features, features,
                           /*bias=*/false);
      size.twice = Doubling(layers, UpName(i) + ".0", features, 2 * features, /*bias=*/false);
      blocks(size.up, UpName(i), 1, plan.up[i]);
    }
  }

  torch::Tensor forward(torch::Tensor input) override {
    const int64_t height = input.size(2), width = input.size(3);
    input = ContinuedToMultiple(Continued(input, kLeast, kLeast), kSquare);
    std::vector<torch::Tensor> seen = {head_(input)};
    torch::Tensor x = seen.back();
    for (const Size& size : sizes_) {
      for (const SwinConvBlock& block : size.down) x = block(x);
      if (&size == &sizes_.back()) break;
      x = size.halve(x);
      seen.push_back(x);
    }
    for (size_t i = kSizes - 1; i-- > 0;) {
      x.add_(seen.back());
      seen.pop_back();
      x = sizes_[i].twice(x);
      for (const SwinConvBlock& block : sizes_[i].up) x = block(x);
    }
    return tail_(x.add_(seen.back())).slice(2, 0, height).slice(3, 0, width);
  }

 private:
  struct Size {
    std::vector<SwinConvBlock> down, up;
    Convolution halve;
    Doubling twice;
  };

  Convolution head_, tail_;
  std::vector<Size> sizes_;
};

/// At its peak, for one image.
size_t Bytes(const Plan& plan, int height, int width) {
  const auto padded = [](int64_t side) { return ToMultiple(std::max(side, kLeast), kSquare); };
  const int64_t rows = padded(height), columns = padded(width);
  int64_t seen = 0, most = 0;
  for (size_t size = 0; size < kSizes; ++size) {
    const int64_t here = plan.Features(size) * (rows >> size) * (columns >> size),
                  half = plan.Features(size) / 2;
    seen += here;
    // In a block its input, the halves, either half in three forms, both together and what comes of them.
    const int64_t windows =
        std::max(WindowFloats({}, columns >> size, half, plan.heads << size, kWindow * kWindow),
                 kPixelsAtOnce * 6 * half);
    most = std::max(most, seen + 7 * here + windows);
  }
  return static_cast<size_t>(most + 3 * plan.bands * rows * columns) * sizeof(float);
}

class ScuNetArchitecture final : public PlannedArchitecture<Plan, ReadPlan> {
 public:
  std::string_view name() const override { return "SCUNet"; }
  std::string_view known_by() const override { return "scunet_color_real_psnr, scunet_color_real_gan"; }

  std::vector<Telltales> telltales() const override {
    return {{"m_head.0.weight", "m_down1.0.trans_block.msa.relative_position_params",
             "m_body.0.conv1_1.weight", "m_up3.0.weight", "m_tail.0.weight"}};
  }

  Result<std::unique_ptr<Network>> Build(Plan plan, std::shared_ptr<const StateDict> weights,
                                         ModelInfo info) const override {
    info.scale = 1;
    info.bands = static_cast<int>(plan.bands);
    info.receptive_radius = static_cast<int>(plan.radius());
    info.tile_grid = kSquare;
    UpscaleNetworkParts parts;
    parts.info = std::move(info);
    parts.tile = kTile;
    parts.overlap = kSquare;
    parts.bytes = [plan](int height, int width) { return Bytes(plan, height, width); };
    return LoadLayers<ScuNet>(plan, std::move(parts), std::move(weights));
  }

 private:
  static constexpr int kTile = 512;
};

const ScuNetArchitecture instance;

}  // namespace

extern const Architecture& kScuNet;
const Architecture& kScuNet = instance;

}  // namespace imgmill
