// A TorchScript network that turns a picture into a vector, on every device of the runtime.
#pragma once

#include <torch/script.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "imgmill/infer/model_runtime.h"
#include "torch/device_slots.h"
#include "torch/torch_headers.h"

namespace imgmill {

class LoadedEmbedder final : public EmbeddingModel {
 public:
  /// Reads the file and tries it on one grey picture of 3 x side x side. @throws OutOfMemory
  static Result<std::unique_ptr<EmbeddingModel>> Load(const std::string& path, int side,
                                                      std::shared_ptr<DeviceSlots> slots);

  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string& device_name) const override;
  Status Forward(const float* input, float* output, int n, int height, int width, int device) override;
  size_t ForwardBytes(int n, int height, int width, int device) const override;
  size_t UnpooledBytes(int device) const override;
  bool BytesAreExact(int device) const override;
  int Streams(int device) const override;

 private:
  LoadedEmbedder() = default;
  Status TryOnOne(int side);
  torch::jit::Module& NetOn(c10::Device device);

  ModelInfo info_;
  std::shared_ptr<DeviceSlots> slots_;
  torch::jit::Module net_;      ///< on the CPU
  size_t bytes_a_picture_ = 0;  ///< peak of a forward pass of one, measured

  std::mutex mutex_;
  std::map<std::string, torch::jit::Module> copies_;  ///< on other devices
};

}  // namespace imgmill
