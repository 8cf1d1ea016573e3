// One loaded model: its weights, and the two ways of running it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "imgmill/infer/model_runtime.h"
#include "torch/architectures/architecture.h"
#include "torch/device_slots.h"

namespace imgmill {

class LoadedUpscaler final : public UpscaleModel {
 public:
  /// Reads the file and builds what the CPU needs; an accelerator's copy is made at its first Forward.
  /// @throws OutOfMemory, c10::Error
  static Result<std::unique_ptr<UpscaleModel>> Load(const std::string& path,
                                                    std::shared_ptr<DeviceSlots> slots);

  const ModelInfo& info() const override { return info_; }
  NumericsPlan Plan(const std::string& device_name) const override;
  Status Forward(const float* input, float* output, int n, int height, int width, int device) override;
  size_t ForwardBytes(int n, int height, int width, int device) const override;
  size_t UnpooledBytes(int device) const override;
  bool BytesAreExact(int device) const override;

 private:
  LoadedUpscaler() = default;
  Status RunChain(const DeviceSlot& slot, const float* input, float* output, int n, int height,
                  int width) const;
  Status RunLibTorch(const DeviceSlot& slot, const float* input, float* output, int n, int height, int width);
  Result<std::shared_ptr<UpscaleNet>> NetOn(c10::Device device);

  ModelInfo info_;
  StateDict weights_;
  const Architecture* architecture_ = nullptr;
  std::shared_ptr<DeviceSlots> slots_;
  std::unique_ptr<ConvChain> chain_;  ///< null where LibTorch does the CPU's work, too

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<UpscaleNet>> nets_;  ///< by device
};

}  // namespace imgmill
