// SPAN (Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution", 2023): six
// blocks of three 3x3 convolutions at the input's size, whose output is weighed by itself, and pixel shuffle.
//
// Its convolutions are trained as three in a row beside a 1x1 one (conv.0 to conv.2, sk). A file holds these,
// the one convolution that they come to (eval_conv), or both; then the trained ones count.
#include <algorithm>
#include <array>
#include <vector>

#include "networks/graph_architecture.h"
#include "networks/graph_builder.h"

namespace imgmill {
namespace {

constexpr double kRange = 255;
constexpr std::array<float, 3> kMean = {0.4488f, 0.4371f, 0.4040f};  // of the data that all were trained with
constexpr int kBlocks = 6;
/// A file that has this tensor is of a network that takes 0..1 as it is.
constexpr char kNoNorm[] = "no_norm";

struct Plan {
  int64_t features = 0;
  int scale = 0;
  bool normalizes = true;
};

bool ReadPlan(const StateDict& weights, Plan& plan) {
  const WeightTensor* first = weights.Find("conv_1.sk.weight");
  if (first == nullptr) first = weights.Find("conv_1.eval_conv.weight");
  const WeightTensor* last = weights.Find("upsampler.0.weight");
  if (first == nullptr || last == nullptr || weights.Find("block_6.c3_r.eval_conv.weight") == nullptr)
    return false;
  plan.features = first->dim(0);
  plan.scale = ShuffleScale(last->dim(0));
  plan.normalizes = weights.Find(kNoNorm) == nullptr;
  return plan.scale > 0;
}

/// Products and sums in double precision.
class Matrix {
 public:
  Matrix(int64_t rows, int64_t columns)
      : rows_(rows), columns_(columns), values_(static_cast<size_t>(rows * columns)) {}
  /// The weights of a 1x1 convolution.
  explicit Matrix(const ConvWeights& conv) : Matrix(conv.weight.side(0), conv.weight.side(1)) {
    std::copy_n(conv.weight.data(), values_.size(), values_.begin());
  }
  /// Those of a pixel of a 3x3 one.
  Matrix(const ConvWeights& conv, int64_t pixel) : Matrix(conv.weight.side(0), conv.weight.side(1)) {
    for (size_t i = 0; i < values_.size(); ++i)
      values_[i] = conv.weight.data()[9 * static_cast<int64_t>(i) + pixel];
  }
  double& at(int64_t row, int64_t column) { return values_[static_cast<size_t>(row * columns_ + column)]; }
  double at(int64_t row, int64_t column) const {
    return values_[static_cast<size_t>(row * columns_ + column)];
  }
  Matrix operator*(const Matrix& other) const {
    Matrix product(rows_, other.columns_);
    for (int64_t r = 0; r < rows_; ++r) {
      for (int64_t k = 0; k < columns_; ++k) {
        for (int64_t c = 0; c < other.columns_; ++c) product.at(r, c) += at(r, k) * other.at(k, c);
      }
    }
    return product;
  }
  void Add(const Matrix& other) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
  }

 private:
  int64_t rows_, columns_;
  std::vector<double> values_;
};

/// A column of biases.
Matrix Column(const Values& biases) {
  Matrix column(biases.count(), 1);
  for (int64_t i = 0; i < biases.count(); ++i) column.at(i, 0) = biases.data()[i];
  return column;
}

/// The 3x3 convolution that `name` comes to.
ConvWeights Fused(LayerWeights& layers, const std::string& name, int64_t out, int64_t in) {
  if (!layers.Has(name + ".sk.weight")) return layers.Conv(name + ".eval_conv", out, in);
  layers.PassOver(name + ".eval_conv.weight");
  layers.PassOver(name + ".eval_conv.bias");
  const int64_t inner = layers.Outputs(name + ".conv.0.weight");
  const ConvWeights wide = layers.Conv(name + ".conv.0", inner, in, 1);
  const ConvWeights middle = layers.Conv(name + ".conv.1", inner / in * out, inner, 3);
  const ConvWeights narrow = layers.Conv(name + ".conv.2", out, inner / in * out, 1);
  const ConvWeights skip = layers.Conv(name + ".sk", out, in, 1);
  if (!skip.bias.defined()) return {};
  constexpr int64_t kPixels = 9, kCentre = 4;
  const Matrix first(wide), last(narrow), first_bias = Column(wide.bias);
  Buffer weights(static_cast<size_t>(kPixels * out * in) * sizeof(float));
  Buffer biases(static_cast<size_t>(out) * sizeof(float));
  Matrix bias = Column(middle.bias);
  for (int64_t pixel = 0; pixel < kPixels; ++pixel) {
    const Matrix through(middle, pixel);
    bias.Add(through * first_bias);
    Matrix all = last * (through * first);
    if (pixel == kCentre) all.Add(Matrix(skip));
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i)
        reinterpret_cast<float*>(weights.data())[(o * in + i) * kPixels + pixel] =
            static_cast<float>(all.at(o, i));
    }
  }
  bias = last * bias;
  bias.Add(Column(narrow.bias));
  bias.Add(Column(skip.bias));
  for (int64_t o = 0; o < out; ++o)
    reinterpret_cast<float*>(biases.data())[o] = static_cast<float>(bias.at(o, 0));
  ConvWeights fused;
  fused.weight = {{out, in, 3, 3}, std::move(weights)};
  fused.bias = {{out}, std::move(biases)};
  return fused;
}

Result<std::shared_ptr<const LayerGraph>> GraphOf(const Plan& plan, const StateDict& weights) {
  LayerGraph::Input input;
  if (plan.normalizes) {
    input.mean.assign(kMean.begin(), kMean.end());
    input.range = static_cast<float>(kRange);
  }
  GraphBuilder graph(weights, std::move(input));
  graph.layers().PassOver(kNoNorm);
  const auto fused = [&](const std::string& name, const FeatureMap& from, const GraphEnd& end = {}) {
    return graph.Conv(Fused(graph.layers(), name, plan.features, from.channels), {from}, end);
  };
  const FeatureMap first = fused("conv_1", graph.input());
  const GraphEnd silu = {.end = ConvEnd::kSilu};
  FeatureMap x = first, inner, after_first;
  for (int b = 1; b <= kBlocks; ++b) {
    const std::string block = "block_" + std::to_string(b);
    inner = fused(block + ".c1_r", x, silu);
    x = fused(block + ".c3_r", fused(block + ".c2_r", inner, silu),
              {.end = ConvEnd::kGate, .added = {{x, 1.0f}}});
    if (b == 1) after_first = x;
  }
  const FeatureMap last = fused("conv_2", x);
  const auto features = static_cast<int>(plan.features);
  x = graph.Conv("conv_cat", features, {first, last, after_first, inner}, {}, 1);
  return graph.Finish(
      {.map = graph.Conv("upsampler.0", 3 * plan.scale * plan.scale, {x}), .shuffle = plan.scale});
}

class Span final : public PlannedGraph<Plan, ReadPlan, GraphOf> {
 public:
  std::string_view name() const override { return "SPAN"; }
  std::string_view known_by() const override { return "spanx2, spanx4"; }

  std::vector<Telltales> telltales() const override {
    return {{"conv_1.eval_conv.weight", "block_6.c3_r.eval_conv.weight", "conv_cat.weight",
             "upsampler.0.weight"}};
  }
};

const Span instance;

}  // namespace

extern const GraphArchitecture& kSpan;
const GraphArchitecture& kSpan = instance;

}  // namespace imgmill
