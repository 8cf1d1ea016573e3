#include "torch/architectures/packed_linear.h"

#include <algorithm>

#include "networks/kernels/worker_team.h"
#include "torch/architectures/same_bits.h"

namespace imgmill {
namespace {

/// Rows of a task: enough to be worth reading all weights for them.
constexpr int kTaskRows = 192;

class MultiplyingRows final : public TeamWork {
 public:
  MultiplyingRows(const ConvKernels& kernels, const ConvLayer& layer, const torch::Tensor& in,
                  torch::Tensor& out, DenseEnd end)
      : kernels_(kernels),
        layer_(layer),
        in_(in.const_data_ptr<float>()),
        out_(out.data_ptr<float>()),
        rows_(static_cast<int>(in.numel() / layer.in_channels)),
        end_(end) {}

  int steps() const override { return 1; }
  int tasks(int /*step*/) const override { return (rows_ + kTaskRows - 1) / kTaskRows; }
  void Run(int /*step*/, int task, int /*worker*/) noexcept override {
    const int first = task * kTaskRows, end = std::min(first + kTaskRows, rows_);
    kernels_.run_dense(layer_, in_ + static_cast<size_t>(first) * static_cast<size_t>(layer_.in_channels),
                       end - first,
                       out_ + static_cast<size_t>(first) * static_cast<size_t>(layer_.out_channels), end_);
  }

 private:
  const ConvKernels& kernels_;
  const ConvLayer& layer_;
  const float* const in_;
  float* const out_;
  const int rows_;
  const DenseEnd end_;
};

}  // namespace

PackedLinear::PackedLinear(Linear layer) : plain_(std::move(layer)) {
  const torch::Tensor& weight = plain_.weight;
  if (!weight.defined() || !weight.device().is_cpu() || weight.scalar_type() != torch::kFloat32) return;
  const int outputs = static_cast<int>(weight.size(0)), inputs = static_cast<int>(weight.size(1));
  kernels_ = BestConvKernels();
  if (kernels_ == nullptr) return;
  packed_ = torch::empty({PaddedChannels(outputs), inputs}, weight.options());
  bias_ = torch::zeros({PaddedChannels(outputs)}, weight.options());
  if (plain_.bias.defined()) bias_.narrow(0, 0, outputs).copy_(plain_.bias);
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

torch::Tensor PackedLinear::operator()(const torch::Tensor& x, DenseEnd end) const {
  if (!packed_.defined()) {
    const torch::Tensor given = LinearOf(x, plain_.weight, plain_.bias);
    if (end == DenseEnd::kGelu) return torch::gelu(given);
    return end == DenseEnd::kQuickGelu ? given * torch::sigmoid(1.702 * given) : given;
  }
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = layer_.out_channels;
  torch::Tensor out = torch::empty(sizes, x.options());
  Run(x, out, end);
  return out;
}

void PackedLinear::AddTo(torch::Tensor& sum, const torch::Tensor& x) const {
  if (packed_.defined()) {
    Run(x, sum, DenseEnd::kAdd);
  } else {
    sum.add_(LinearOf(x, plain_.weight, plain_.bias));
  }
}

void PackedLinear::Run(const torch::Tensor& x, torch::Tensor& out, DenseEnd end) const {
  const torch::Tensor in = x.contiguous();
  MultiplyingRows work(*kernels_, layer_, in, out, end);
  DoWithTeam(work);
}

}  // namespace imgmill
