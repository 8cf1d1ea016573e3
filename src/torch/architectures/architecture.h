// What each network is to the loader: how its state dict is recognised and what it is built into.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "imgmill/infer/model_runtime.h"
#include "torch/kernels/conv_chain.h"
#include "torch/torch_headers.h"
#include "torch/weights/state_dict.h"

namespace imgmill {

/// A network as a LibTorch module: N x 3 x H x W in 0..1 to N x 3 x (H * scale) x (W * scale), not yet
/// clamped.
class UpscaleNet : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor input) = 0;
};

/// One architecture. To add one: write a file like srvgg_compact.cpp, and its line in architecture_table.cpp.
class Architecture {
 public:
  virtual ~Architecture() = default;

  /// Whether the names and shapes are this network's. Two architectures must never claim the same state dict.
  virtual bool Matches(const StateDict& weights) const = 0;

  /// Name, scale, receptive radius and the like; the digest and the bytes are filled in by the loader. A
  /// kModelError tells which variant it is that cannot be built.
  virtual Result<ModelInfo> Describe(const StateDict& weights) const = 0;

  /// The network with weights of its own on `device`.
  virtual Result<std::shared_ptr<UpscaleNet>> Build(const StateDict& weights, c10::Device device) const = 0;

  /// Bytes that the LibTorch module holds at its peak for each pixel of input, beside input and output.
  virtual size_t BytesPerPixel(const StateDict& weights) const = 0;

  /// The same network on our own kernels; null where there are none for it.
  virtual Result<std::unique_ptr<ConvChain>> BuildChain(const StateDict&, const WinogradKernels&) const {
    return std::unique_ptr<ConvChain>();
  }
};

std::span<const Architecture* const> Architectures();

/// The one whose names and shapes these are; a kModelError that lists some of the names if there is none.
Result<const Architecture*> DetectArchitecture(const StateDict& weights);

/// A float32 tensor on `device` with a copy of the values.
Result<torch::Tensor> ToTensor(const WeightTensor& weights, c10::Device device);

}  // namespace imgmill
