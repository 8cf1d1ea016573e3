#include "torch/architectures/kernel_convolution.h"

#include "networks/kernels/map_conv.h"
#include "networks/kernels/worker_team.h"

namespace imgmill {
namespace {

/// Below this LibTorch's convolutions are as fast.
constexpr int64_t kFewPixels = 1024;

/// Weights are packed, then the maps of the batch are convolved, one after the other.
class Convolving final : public TeamWork {
 public:
  Convolving(const ConvKernels& kernels, const ConvPacking& packing, float* packed,
             std::span<const MapConv> maps, std::span<float> scratch, int threads)
      : kernels_(kernels),
        packing_(packing),
        packed_(packed),
        maps_(maps),
        scratch_(scratch.data()),
        scratch_floats_(scratch.size() / static_cast<size_t>(threads)) {}

  int steps() const override { return 1 + static_cast<int>(maps_.size()); }
  int tasks(int step) const override {
    return step == 0 ? kernels_.blocks(packing_.out_channels) : MapConvTasks(Map(step));
  }
  void Run(int step, int task, int worker) noexcept override {
    if (step == 0) return kernels_.pack(packing_, task, packed_);
    RunMapConv(kernels_, Map(step), task, scratch_ + static_cast<size_t>(worker) * scratch_floats_);
  }

 private:
  const MapConv& Map(int step) const { return maps_[static_cast<size_t>(step - 1)]; }

  const ConvKernels& kernels_;
  const ConvPacking& packing_;
  float* packed_;
  std::span<const MapConv> maps_;
  float* scratch_;
  size_t scratch_floats_;
};

}  // namespace

bool SuitsKernels(const Convolution& layer, const torch::Tensor& x) {
  const ConvShape& shape = layer.shape;
  return TeamScope::Current() != nullptr && layer.weight.size(2) == 3 && layer.weight.size(3) == 3 &&
         shape.stride == 1 && shape.groups == 1 && shape.dilation == 1 && shape.padding <= 1 &&
         x.size(2) > 2 && x.size(3) > 2 && x.size(2) * x.size(3) >= kFewPixels &&
         x.scalar_type() == torch::kFloat32;
}

torch::Tensor OnKernels(const Convolution& layer, const torch::Tensor& x) {
  const ConvKernels& kernels = *layer.kernels;
  Team& team = *TeamScope::Current();
  const torch::Tensor from = x.stride(1) == 1 ? x : x.contiguous(torch::MemoryFormat::ChannelsLast);
  const int out = static_cast<int>(layer.weight.size(0)), in = static_cast<int>(layer.weight.size(1));
  const auto floats = torch::TensorOptions().dtype(torch::kFloat32);
  const torch::Tensor ends =
      torch::ones({2, PaddedChannels(out)}, floats);  // bias, and slopes of no activation
  ends[0].zero_();
  if (layer.bias.defined()) ends[0].narrow(0, 0, out).copy_(layer.bias);
  const torch::Tensor packed = torch::empty(static_cast<int64_t>(PackedWinogradFloats(out, in)), floats);

  MapConv conv;
  conv.padding = layer.shape.padding == 0 ? 0 : 1;
  conv.height = static_cast<int>(from.size(2));
  conv.width = static_cast<int>(from.size(3));
  conv.row = static_cast<size_t>(from.stride(2));
  conv.pixel = static_cast<size_t>(from.stride(3));
  conv.layer.in_channels = in;
  conv.layer.out_channels = out;
  conv.layer.weights = packed.data_ptr<float>();
  conv.layer.bias = ends.data_ptr<float>();
  conv.layer.slope = conv.layer.bias + PaddedChannels(out);
  const int64_t less = 2 - 2 * conv.padding;
  torch::Tensor made = torch::empty({from.size(0), out, from.size(2) - less, from.size(3) - less},
                                    floats.memory_format(torch::MemoryFormat::ChannelsLast));
  std::vector<MapConv> maps(static_cast<size_t>(from.size(0)), conv);
  for (size_t n = 0; n < maps.size(); ++n) {
    maps[n].input = from.data_ptr<float>() + static_cast<int64_t>(n) * from.stride(0);
    maps[n].output = made.data_ptr<float>() + static_cast<int64_t>(n) * made.stride(0);
  }
  const torch::Tensor scratch =
      torch::empty({team.threads(), static_cast<int64_t>(MapConvScratchFloats(conv.layer))}, floats);
  const torch::Tensor weight = layer.weight.contiguous();
  const ConvPacking packing = {weight.data_ptr<float>(), in, nullptr, in, out};
  Convolving work(kernels, packing, packed.data_ptr<float>(), maps,
                  {scratch.data_ptr<float>(), static_cast<size_t>(scratch.numel())}, team.threads());
  team.Do(work);
  return made;
}

}  // namespace imgmill
