#include "torch/executors/net_layers.h"

#include <algorithm>

namespace imgmill {
namespace {

torch::Tensor At(const NetPlace& place, const float* values, const std::vector<int64_t>& shape) {
  // from_blob takes no const pointer.
  return torch::from_blob(const_cast<float*>(values), shape, torch::kFloat32)
      .to(place.device, place.type, /*non_blocking=*/false, /*copy=*/true);
}

/// In a graph each of a square's four pixels has all channels; a pixel shuffle wants it the other way round.
torch::Tensor ByChannels(const torch::Tensor& rows) {
  std::vector<int64_t> shape = rows.sizes().vec();
  return rows.reshape({4, shape[0] / 4, -1}).transpose(0, 1).reshape(shape);
}

NetLayer Placed(const GraphLayer& layer, const NetPlace& place) {
  NetLayer net;
  if (layer.kind == LayerKind::kSampled) {
    const auto* const start = reinterpret_cast<const float*>(layer.weights.data());
    net.weight = At({place.device, torch::kFloat32}, start, {1, layer.from[1].channels, 1, 1});
  }
  if (layer.ends.size() == 0) return net;
  const int64_t out = layer.conv.out_channels, side = layer.side;
  net.bias = At(place, layer.conv.bias, {out});
  net.slope = *layer.conv.slope;
  const auto other = [&](float slope) { return slope != net.slope; };
  const bool normalizes = layer.kind == LayerKind::kNormalized || layer.IsNorm();
  if (normalizes || std::any_of(layer.conv.slope, layer.conv.slope + out, other))
    net.slopes = At(place, layer.conv.slope, {out});
  const auto* const weights = reinterpret_cast<const float*>(layer.weights.data());
  if (layer.kind == LayerKind::kDepthwise) {
    const int64_t across = layer.across;
    net.weight = At(place, weights, {side * across, PaddedChannels(layer.conv.out_channels)})
                     .narrow(1, 0, out)
                     .t()
                     .reshape({out, 1, side, across});
  } else if (layer.packs()) {
    // One that doubles the size has a kernel of one pixel.
    const int64_t kernel = layer.kind == LayerKind::kDoubled ? 1 : side;
    const int64_t in = layer.file_channels / (layer.OverWindow() ? kernel * kernel : 1);
    net.weight = At(place, weights, {out, in, kernel, kernel});
  }
  if (layer.kind == LayerKind::kDoubled) {
    net.weight = ByChannels(net.weight);
    net.bias = ByChannels(net.bias);
    if (net.slopes.defined()) net.slopes = ByChannels(net.slopes);
  }
  if (net.weight.defined()) net.weight = net.weight.contiguous(torch::MemoryFormat::ChannelsLast);
  return net;
}

}  // namespace

NetLayers::NetLayers(const GraphPlan& plan, const NetPlace& place) {
  for (const GraphLayer& layer : plan.layers) layers_.push_back(Placed(layer, place));
}

}  // namespace imgmill
