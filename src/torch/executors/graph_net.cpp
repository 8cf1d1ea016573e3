#include "torch/executors/graph_net.h"

#include <algorithm>
#include <vector>

#include "torch/architectures/dy_sample.h"
#include "torch/architectures/same_bits.h"
#include "torch/executors/graph_bands.h"
#include "torch/executors/net_layers.h"

namespace imgmill {
namespace {

torch::Tensor Sloped(torch::Tensor x, const NetLayer& layer) {
  if (layer.slopes.defined()) return torch::prelu(x, layer.slopes);
  if (layer.slope == 1) return x;
  return layer.slope == 0 ? x.relu_() : torch::leaky_relu_(x, layer.slope);
}

torch::Tensor Applied(MapFunction function, torch::Tensor x) {
  switch (function) {
    case MapFunction::kNone:
      break;
    case MapFunction::kSigmoid:
      return x.sigmoid();
    case MapFunction::kTanh:
      return x.tanh();
    case MapFunction::kGelu:
      return torch::gelu(x);
  }
  return x;
}

/// A map's rows from `first` on, N x C x rows x width.
struct MadeRows {
  torch::Tensor rows;
  int first = 0;
};

/// One batch on its way through the layers.
class GraphRun {
 public:
  GraphRun(const GraphPlan& plan, const NetLayers& layers, const torch::Tensor& input)
      : plan_(plan),
        layers_(layers),
        input_(input),
        shape_(plan, static_cast<int>(input.size(2)), static_cast<int>(input.size(3))),
        last_reads_(shape_.LastReads()),
        maps_(static_cast<size_t>(shape_.stages()) - 1) {}

  torch::Tensor Result() {
    const GraphBands bands(plan_, shape_);
    Keep(0, {First(), 0});
    for (int stage = 1; stage < bands.first_stage(); ++stage) {
      Keep(stage, {Make(stage, {0, shape_.Height(stage)}), 0});
      Forget(stage, 0);
    }
    if (bands.count() == 1) return Out(bands, 0);
    torch::Tensor all = torch::empty(
        {input_.size(0), plan_.input.bands, input_.size(2) * plan_.scale, input_.size(3) * plan_.scale},
        input_.options());
    for (int band = 0; band < bands.count(); ++band) {
      const torch::Tensor pixels = Out(bands, band);
      all.narrow(2, bands.Out(band).first * plan_.output.shuffle, pixels.size(2)).copy_(pixels);
    }
    return all;
  }

 private:
  void Keep(int map, MadeRows made) { maps_[static_cast<size_t>(map)] = std::move(made); }
  /// What this stage was the last to read, of the maps from `first` on.
  void Forget(int stage, int first) {
    for (const GraphShape::Read& read : shape_.ReadsOf(stage, {0, 1})) {
      if (read.map >= first && last_reads_[static_cast<size_t>(read.map)] == stage) Keep(read.map, {});
    }
  }

  /// The pixels that a band of rows becomes.
  torch::Tensor Out(const GraphBands& bands, int band) {
    const std::vector<RowRange> rows = bands.Rows(band);
    for (int stage = bands.first_stage(); stage + 1 < shape_.stages(); ++stage) {
      const RowRange made = rows[static_cast<size_t>(stage)];
      if (made.count() > 0) Keep(stage, {Make(stage, made), made.first});
      Forget(stage, bands.first_stage());
    }
    return Pixels(bands.Out(band));
  }

  torch::Tensor Pixels(RowRange rows) const {
    const GraphOutput& output = plan_.output;
    const int64_t margin = output.margin, scale = plan_.scale;
    torch::Tensor x = RowsOf(output.map, {rows.first + output.margin, rows.end + output.margin});
    if (margin > 0) x = x.narrow(3, margin, x.size(3) - 2 * margin);
    if (output.shuffle > 1) x = torch::pixel_shuffle(x, output.shuffle);
    const int64_t first = int64_t{rows.first} * output.shuffle;
    const int64_t height = std::min(x.size(2), input_.size(2) * scale - first),
                  width = input_.size(3) * scale;
    x = x.narrow(2, 0, height).narrow(3, 0, width);
    if (output.adds_input) {
      const torch::Tensor seen = input_.narrow(2, first / scale, (height + scale - 1) / scale);
      x = x + torch::upsample_nearest2d(seen, {seen.size(2) * scale, width}).narrow(2, 0, height);
    }
    return Applied(output.end, std::move(x));
  }

  /// The image as it is continued, one side of it.
  torch::Tensor Continued(torch::Tensor x, int64_t dimension, int wanted, bool mirrors) const {
    const auto side = static_cast<int>(input_.size(dimension));
    std::vector<int64_t> from;
    for (int at = 0; at < wanted; ++at) {
      const int source = SourceOf(at, side, plan_.input, mirrors);
      if (source >= 0) from.push_back(source);  // where zeros stand, they stand to the end
    }
    const torch::Tensor index = torch::tensor(from, torch::kInt64).to(x.device());
    x = x.index_select(dimension, index);
    const int64_t zeros = wanted - x.size(dimension);
    if (zeros == 0) return x;
    return torch::constant_pad_nd(
        x, dimension == 2 ? std::vector<int64_t>{0, 0, 0, zeros} : std::vector<int64_t>{0, zeros});
  }

  torch::Tensor First() const {
    const GraphInput& input = plan_.input;
    const int u = input.unshuffle, height = shape_.Height(0) * u, width = shape_.Width(0) * u;
    const bool mirrors = height < 2 * input_.size(2) && width < 2 * input_.size(3);
    torch::Tensor x = input_;
    if (height != x.size(2) || input.margin > 0) x = Continued(std::move(x), 2, height, mirrors);
    if (width != x.size(3) || input.margin > 0) x = Continued(std::move(x), 3, width, mirrors);
    if (!input.mean.empty()) {
      const std::vector<float>& mean = input.mean;
      x = x - torch::tensor(at::ArrayRef<float>(mean), torch::kFloat32)
                  .to(x.options())
                  .view({1, static_cast<int64_t>(mean.size()), 1, 1});
    }
    if (input.range != 1) x = x * input.range;
    if (u > 1) x = torch::pixel_unshuffle(x, u);
    if (!input.told.empty()) {
      std::vector<torch::Tensor> bands = {x};
      for (const float told : input.told)
        bands.push_back(torch::full({x.size(0), 1, x.size(2), x.size(3)}, told, x.options()));
      x = torch::cat(bands, 1);
    }
    return x.contiguous(torch::MemoryFormat::ChannelsLast);
  }

  /// Rows of a map that there are, in pixels as it is read.
  torch::Tensor RowsOf(const FeatureMap& map, RowRange rows) const {
    const MadeRows& made = maps_[static_cast<size_t>(map.index)];
    torch::Tensor x = made.rows;
    if (map.first > 0 || map.channels < x.size(1)) x = x.narrow(1, map.first, map.channels);
    if (!map.doubled) return x.narrow(2, rows.first - made.first, rows.count());
    const int first = rows.first >> 1, end = (rows.end + 1) >> 1;
    x = x.narrow(2, first - made.first, end - first);
    x = torch::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
    return x.narrow(2, rows.first - 2 * first, rows.count());
  }

  torch::Tensor Whole(const FeatureMap& map) const { return RowsOf(map, {0, shape_.Height(map.index)}); }

  /// What is added to those rows of what a layer gives.
  torch::Tensor Added(const AddedMap& added, RowRange rows) const {
    torch::Tensor x = RowsOf(added.map, {rows.first + added.margin, rows.end + added.margin});
    return added.margin == 0 ? x : x.narrow(3, added.margin, x.size(3) - 2 * added.margin);
  }
  torch::Tensor WithAdded(torch::Tensor x, const GraphLayer& layer, RowRange rows, size_t from = 0) const {
    for (size_t n = from; n < layer.added.size(); ++n)
      x.add_(Added(layer.added[n], rows), layer.added[n].scale);
    return x;
  }

  torch::Tensor Make(int stage, RowRange rows) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const FeatureMap& first = layer.from.front();
    const auto read = [&](const FeatureMap& map) { return RowsOf(map, rows); };
    switch (layer.kind) {
      case LayerKind::kWide:
        if (layer.partial) return InPart(stage, rows);
        [[fallthrough]];
      case LayerKind::kConv:
      case LayerKind::kDepthwise:
        return Ended(Convolved(stage, rows), stage, rows);
      case LayerKind::kStrided:
        return Sloped(Conv2d(Windowed(layer, rows), layers_[stage].weight, layers_[stage].bias,
                             {.stride = layer.stride}),
                      layers_[stage]);
      case LayerKind::kMaxPool:
        return torch::max_pool2d(Windowed(layer, rows), {layer.side, layer.side},
                                 {layer.stride, layer.stride});
      case LayerKind::kDoubled: {
        const RowRange seen = {rows.first >> 1, (rows.end + 1) >> 1};
        torch::Tensor x = Conv2d(RowsOf(first, seen), layers_[stage].weight, layers_[stage].bias);
        x = torch::pixel_shuffle(Sloped(std::move(x), layers_[stage]), 2);
        return WithAdded(x.narrow(2, rows.first - 2 * seen.first, rows.count()), layer, rows);
      }
      case LayerKind::kShuffled:
        return Shuffled(stage, rows);
      case LayerKind::kMean:
        return Whole(first).mean({2, 3}, /*keepdim=*/true);
      case LayerKind::kGroupNorm:
        return GroupFactors(stage);
      case LayerKind::kFunction:
        return Applied(layer.function, read(first));
      case LayerKind::kNormalized: {
        // By the pixel, whose channels lie together.
        const torch::Tensor x = read(first).permute({0, 2, 3, 1});
        return torch::layer_norm(x, {x.size(3)}, layers_[stage].slopes, layers_[stage].bias, layer.epsilon)
            .permute({0, 3, 1, 2});
      }
      case LayerKind::kScaled: {
        torch::Tensor x = read(first) * RowsOf(layer.from[1], {0, 1});
        if (layer.from.size() > 2) x.add_(RowsOf(layer.from[2], {0, 1}));
        return WithAdded(std::move(x), layer, rows);
      }
      case LayerKind::kProduct:
        return read(first) * read(layer.from[1]);
      case LayerKind::kSampled:
        return Sampled(stage, rows);
      case LayerKind::kResized:
        break;
    }
    return EnlargedBilinear(Whole(first), shape_.Height(stage), shape_.Width(stage))
        .narrow(2, rows.first, rows.count());
  }

  /// Factors and, behind their padding, shifts; in float32, since half precision has no sums of whole maps.
  torch::Tensor GroupFactors(int stage) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const NetLayer& net = layers_[stage];
    const torch::Tensor x = Whole(layer.from.front());
    const int64_t n = x.size(0), channels = x.size(1), groups = layer.groups;
    const GroupMoments moments = MomentsOfGroups(x, groups, layer.epsilon);
    const torch::Tensor factors =
        net.slopes.to(torch::kFloat32).view({1, groups, -1}) * moments.factor.unsqueeze(2);
    const torch::Tensor shifts =
        net.bias.to(torch::kFloat32).view({1, groups, -1}) - moments.mean.unsqueeze(2) * factors;
    const int64_t padding = PaddedChannels(static_cast<int>(channels)) - channels;
    return torch::cat({torch::constant_pad_nd(factors.reshape({n, channels}), {0, padding}),
                       shifts.reshape({n, channels})},
                      1)
        .to(x.scalar_type())
        .view({n, -1, 1, 1});
  }

  /// In float32: half precision has no place between two pixels of a wide image.
  torch::Tensor Sampled(int stage, RowRange rows) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const torch::Tensor x = Whole(layer.from.front());
    const int64_t scale = layer.stride;
    const RowRange seen = {rows.first / layer.stride, (rows.end - 1) / layer.stride + 1};
    torch::Tensor places =
        RowsOf(layer.from[1], seen).to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true);
    places.mul_(0.5).add_(layers_[stage].weight);
    return SampledRows(x, std::move(places), seen.first, scale, layer.groups)
        .narrow(2, rows.first - seen.first * scale, rows.count());
  }

  /// What the windows of a layer without padding see.
  torch::Tensor Windowed(const GraphLayer& layer, RowRange rows) const {
    return RowsOf(layer.from.front(),
                  {rows.first * layer.stride, (rows.end - 1) * layer.stride + layer.side});
  }

  torch::Tensor Convolved(int stage, RowRange rows) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const int reach = layer.side / 2;
    const RowRange around = {rows.first - reach + layer.margin, rows.end + reach + layer.margin};
    const FeatureMap& first = layer.from.front();
    const int height = shape_.Height(first.index) * (first.doubled ? 2 : 1);
    const RowRange seen = Within(around, height);
    std::vector<torch::Tensor> maps;
    for (const FeatureMap& map : layer.from) maps.push_back(RowsOf(map, seen));
    torch::Tensor x = maps.size() == 1 ? maps.front() : torch::cat(maps, 1);
    if (layer.partial) x = x.narrow(1, 0, layer.conv.out_channels);
    const int64_t above = seen.first - around.first, below = around.end - seen.end;
    Conv2dShape shape;
    shape.padding_width = layer.margin > 0 ? 0 : reach;
    shape.groups = layer.kind == LayerKind::kDepthwise ? layer.conv.out_channels : 1;
    if (above == below) {
      shape.padding_height = above;
    } else {
      x = torch::constant_pad_nd(x, {0, 0, above, below});
    }
    return Conv2d(x, layers_[stage].weight, layers_[stage].bias, shape);
  }

  /// A convolution of the first channels, and the others as they are.
  torch::Tensor InPart(int stage, RowRange rows) const {
    const torch::Tensor all = RowsOf(shape_.LayerOf(stage).from.front(), rows);
    const torch::Tensor made = Sloped(Convolved(stage, rows), layers_[stage]);
    const torch::Tensor rest = all.narrow(1, made.size(1), all.size(1) - made.size(1));
    return WithAdded(torch::cat({made, rest}, 1), shape_.LayerOf(stage), rows);
  }

  /// @param x  a convolution's values, this call's own
  torch::Tensor Ended(torch::Tensor x, int stage, RowRange rows) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const ConvLayer& conv = layer.conv;
    const auto gained = [&](torch::Tensor values) {
      if (conv.gain != 1) values.mul_(conv.gain);
      if (conv.shift != 0) values.add_(conv.shift);
      return WithAdded(std::move(values), layer, rows);
    };
    switch (conv.end) {
      case ConvEnd::kSlope:
        break;
      case ConvEnd::kSilu:
        return gained(torch::silu_(x));
      case ConvEnd::kGelu:
        return gained(torch::gelu(x));
      case ConvEnd::kMish:
        return gained(torch::mish_(x));
      case ConvEnd::kGate:
        return (Added(layer.added.front(), rows) + x).mul_(torch::sigmoid(x).sub_(0.5));
      case ConvEnd::kWeigh:
        return WithAdded(x.sigmoid_().mul_(Added(layer.added.front(), rows)), layer, rows, 1);
      case ConvEnd::kSumSlope:
        return Sloped(gained(std::move(x)), layers_[stage]);
      case ConvEnd::kSumGelu:
        return torch::gelu(gained(std::move(x)));
    }
    return gained(Sloped(std::move(x), layers_[stage]));
  }

  /// Squares of pixels put in place. Each of a square's pixels has all channels, with padding.
  torch::Tensor Shuffled(int stage, RowRange rows) const {
    const GraphLayer& layer = shape_.LayerOf(stage);
    const int side = layer.stride;
    const int64_t channels = plan_.channels[static_cast<size_t>(stage)];
    const int64_t padded = PaddedChannels(static_cast<int>(channels));
    const RowRange seen = {rows.first / side, (rows.end - 1) / side + 1};
    torch::Tensor x = RowsOf(layer.from.front(), seen);
    const int64_t lacking = padded * side * side - x.size(1);
    if (lacking > 0) x = torch::constant_pad_nd(x, {0, 0, 0, 0, 0, lacking});
    x = x.permute({0, 2, 3, 1}).reshape({x.size(0), x.size(2), x.size(3), side, side, padded});
    x = x.narrow(5, 0, channels).permute({0, 1, 3, 2, 4, 5});
    x = x.reshape({x.size(0), x.size(1) * side, x.size(3) * side, channels}).permute({0, 3, 1, 2});
    return x.narrow(2, rows.first - seen.first * side, rows.count()).narrow(3, 0, shape_.Width(stage));
  }

  const GraphPlan& plan_;
  const NetLayers& layers_;
  const torch::Tensor input_;
  const GraphShape shape_;
  const std::vector<int> last_reads_;
  std::vector<MadeRows> maps_;
};

class GraphNet final : public UpscaleNet {
 public:
  GraphNet(std::shared_ptr<const LayerGraph> graph, const NetPlace& place)
      : graph_(std::move(graph)), layers_(graph_->plan(), place) {}
  torch::Tensor forward(torch::Tensor input) override {
    return GraphRun(graph_->plan(), layers_, input).Result();
  }

 private:
  const std::shared_ptr<const LayerGraph> graph_;
  const NetLayers layers_;
};

}  // namespace

std::shared_ptr<UpscaleNet> MakeGraphNet(std::shared_ptr<const LayerGraph> graph, const NetPlace& place) {
  return std::make_shared<GraphNet>(std::move(graph), place);
}

}  // namespace imgmill
