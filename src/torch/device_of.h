// LibTorch's name of a device.
#pragma once

#include <string>

#include "networks/device_slots.h"
#include "torch/torch_headers.h"

namespace imgmill {

/// What cuDNN may take as workspace beside the tensors, and, of large networks on the CPU, oneDNN.
inline constexpr size_t kAcceleratorWorkspace = size_t{64} << 20;

/// Of a plan whose kernels are LibTorch's.
inline std::string LibTorchKernels(const std::string& device_type) {
  return device_type == "cpu" ? "libtorch" : "libtorch-" + device_type;
}

inline c10::Device AcceleratorNumber(int index) {
  return {*at::accelerator::getAccelerator(), static_cast<c10::DeviceIndex>(index)};
}

inline c10::Device DeviceOf(const DeviceSlot& slot) {
  return slot.accelerator < 0 ? c10::Device(c10::DeviceType::CPU) : AcceleratorNumber(slot.accelerator);
}

}  // namespace imgmill
