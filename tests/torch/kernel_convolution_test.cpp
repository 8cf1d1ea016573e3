// Convolutions of LibTorch's modules on our own kernels, against LibTorch's own.
#include "torch/architectures/kernel_convolution.h"

#include "doctest_beside_torch.h"
#include "networks/kernels/conv_variants.h"

using namespace imgmill;

namespace {

Convolution Layer(int64_t out, int64_t in, int64_t padding, bool bias) {
  Convolution layer;
  layer.shape.padding = padding;
  layer.weight = torch::randn({out, in, 3, 3}) / std::sqrt(9.0 * static_cast<double>(in));
  if (bias) layer.bias = torch::randn({out});
  return layer;
}

}  // namespace

TEST_CASE("a convolution on our kernels gives what LibTorch's gives, whatever the memory's layout") {
  at::manual_seed(7);
  WorkerTeam team(3);
  const TeamScope scope(team);
  for (const char* isa : kInstructionSets) {
    const ConvKernels* kernels = FindConvKernels(isa);
    if (kernels == nullptr) continue;
    for (const auto& [in, out] : {std::pair<int64_t, int64_t>{3, 64}, {64, 48}, {50, 25}, {16, 3}, {1, 16}}) {
      for (const auto& [height, width] :
           {std::pair<int64_t, int64_t>{32, 32}, {35, 101}, {7, 230}, {350, 3}}) {
        for (const int64_t padding : {-1, 0, 1}) {
          CAPTURE(isa);
          CAPTURE(in);
          CAPTURE(out);
          CAPTURE(height);
          CAPTURE(width);
          CAPTURE(padding);
          const Convolution plain = Layer(out, in, padding, padding != 0);
          Convolution fast = plain;
          fast.kernels = kernels;
          const torch::Tensor all = torch::randn({2, in + 16, height, width});
          const torch::Tensor last = all.contiguous(torch::MemoryFormat::ChannelsLast);
          for (const torch::Tensor& x :
               {all.narrow(1, 0, in), last.narrow(1, 0, in), last.narrow(1, 16, in),
                last.narrow(1, 16, in).contiguous(torch::MemoryFormat::ChannelsLast)}) {
            REQUIRE(SuitsKernels(fast, x));
            const torch::Tensor made = fast(x), expected = plain(x);
            REQUIRE(made.sizes() == expected.sizes());
            CHECK((made - expected).abs().max().item<float>() < 6e-5f);
          }
        }
      }
    }
  }
}

TEST_CASE("small maps, other shapes and other numbers are LibTorch's, and so is all outside of a team") {
  at::manual_seed(1);
  const Convolution usual = Layer(16, 16, 1, true);
  const torch::Tensor large = torch::randn({1, 16, 40, 40});
  CHECK_FALSE(SuitsKernels(usual, large));
  WorkerTeam team(1);
  const TeamScope scope(team);
  CHECK(SuitsKernels(usual, large));
  CHECK_FALSE(SuitsKernels(usual, torch::randn({1, 16, 8, 8})));
  CHECK_FALSE(SuitsKernels(usual, large.to(torch::kFloat64)));
  for (const ConvShape& shape :
       {ConvShape{.stride = 2}, ConvShape{.groups = 4}, ConvShape{.dilation = 2}, ConvShape{.padding = 2}}) {
    Convolution other = usual;
    other.shape = shape;
    CHECK_FALSE(SuitsKernels(other, large));
  }
}
