#include "torch/executors/graph_net.h"

#include <algorithm>
#include <vector>

#include "torch/architectures/same_bits.h"
#include "torch/executors/graph_bands.h"
#include "torch/executors/net_rows.h"

namespace imgmill {
namespace {

/// One batch on its way through the layers.
class GraphRun {
 public:
  GraphRun(const GraphPlan& plan, const NetLayers& layers, const torch::Tensor& input)
      : plan_(plan),
        input_(input),
        shape_(plan, static_cast<int>(input.size(2)), static_cast<int>(input.size(3))),
        maps_(plan, layers, shape_) {}

  torch::Tensor Result() {
    const GraphBands bands(plan_, shape_);
    maps_.Keep(0, First(), 0);
    for (int stage = 1; stage < bands.first_stage(); ++stage) {
      maps_.Keep(stage, maps_.Make(stage, {0, shape_.Height(stage)}), 0);
      maps_.Forget(stage, 0);
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
  /// The pixels that a band of rows becomes.
  torch::Tensor Out(const GraphBands& bands, int band) {
    const std::vector<RowRange> rows = bands.Rows(band);
    for (int stage = bands.first_stage(); stage + 1 < shape_.stages(); ++stage) {
      const RowRange made = rows[static_cast<size_t>(stage)];
      if (made.count() > 0) maps_.Keep(stage, maps_.Make(stage, made), made.first);
      maps_.Forget(stage, bands.first_stage());
    }
    return Pixels(bands.Out(band));
  }

  torch::Tensor Pixels(RowRange rows) const {
    const GraphOutput& output = plan_.output;
    const int64_t margin = output.margin, scale = plan_.scale;
    torch::Tensor x = maps_.RowsOf(output.map, {rows.first + output.margin, rows.end + output.margin});
    if (margin > 0) x = x.narrow(3, margin, x.size(3) - 2 * margin);
    if (output.shuffle > 1) x = torch::pixel_shuffle(x, output.shuffle);
    const int64_t first = int64_t{rows.first} * output.shuffle;
    const int64_t height = std::min(x.size(2), input_.size(2) * scale - first),
                  width = input_.size(3) * scale;
    x = x.narrow(2, 0, height).narrow(3, 0, width);
    if (output.adds_input == InputAdded::kBilinear) {
      const int64_t high = shape_.Height(0) * scale, wide = shape_.Width(0) * scale;
      x = x + EnlargedBilinear(Continued(), high, wide).narrow(2, first, height).narrow(3, 0, width);
    } else if (output.adds_input == InputAdded::kNearest) {
      const torch::Tensor seen = input_.narrow(2, first / scale, (height + scale - 1) / scale);
      x = x + torch::upsample_nearest2d(seen, {seen.size(2) * scale, width}).narrow(2, 0, height);
    }
    return Applied(output.end, std::move(x));
  }

  /// The image, one side of it continued.
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

  /// The image as large as what becomes the first map.
  torch::Tensor Continued() const {
    const GraphInput& input = plan_.input;
    const int u = input.unshuffle, height = shape_.Height(0) * u, width = shape_.Width(0) * u;
    const bool mirrors = height < 2 * input_.size(2) && width < 2 * input_.size(3);
    torch::Tensor x = input_;
    if (height != x.size(2) || input.margin > 0) x = Continued(std::move(x), 2, height, mirrors);
    if (width != x.size(3) || input.margin > 0) x = Continued(std::move(x), 3, width, mirrors);
    return x;
  }

  torch::Tensor First() const {
    const GraphInput& input = plan_.input;
    const int u = input.unshuffle;
    torch::Tensor x = Continued();
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

  const GraphPlan& plan_;
  const torch::Tensor input_;
  const GraphShape shape_;
  NetRows maps_;
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
