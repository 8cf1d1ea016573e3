#include "torch/architectures/packed_linear.h"

namespace imgmill {

PackedLinear::PackedLinear(Linear layer) : plain_(std::move(layer)) {
  const torch::Tensor& weight = plain_.weight;
  if (!weight.defined() || !weight.device().is_cpu() || weight.scalar_type() != torch::kFloat32) return;
  const int outputs = static_cast<int>(weight.size(0)), inputs = static_cast<int>(weight.size(1));
  kernels_ = BestConvKernels();
  if (kernels_ == nullptr || outputs % kChannelPad != 0) return;
  packed_ = torch::empty({outputs, inputs}, weight.options());
  bias_ = plain_.bias.defined() ? plain_.bias.contiguous() : torch::zeros({outputs}, weight.options());
  const torch::Tensor rows = weight.contiguous();
  const ConvPacking packing = {rows.const_data_ptr<float>(), inputs, nullptr, inputs, outputs};
  for (int block = 0; block < kernels_->blocks(outputs); ++block)
    kernels_->pack_1x1(packing, block, packed_.data_ptr<float>());
  layer_.in_channels = inputs;
  layer_.out_channels = outputs;
  layer_.weights = packed_.const_data_ptr<float>();
  layer_.bias = bias_.const_data_ptr<float>();
  plain_ = {};
}

torch::Tensor PackedLinear::operator()(const torch::Tensor& x) const {
  if (!packed_.defined()) return plain_(x);
  const torch::Tensor in = x.contiguous();
  std::vector<int64_t> sizes = in.sizes().vec();
  sizes.back() = layer_.out_channels;
  torch::Tensor out = torch::empty(sizes, in.options());
  const int64_t rows = in.numel() / layer_.in_channels;
  kernels_->run_dense(layer_, in.const_data_ptr<float>(), static_cast<int>(rows), out.data_ptr<float>());
  return out;
}

}  // namespace imgmill
