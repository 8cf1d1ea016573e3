// The runtime behind the module's one exported function.
#pragma once

#include <memory>
#include <string>

#include "imgmill/infer/model_runtime.h"

namespace imgmill {

/// Sets LibTorch up and makes a runtime on it. @throws c10::Error, OutOfMemory, std::system_error
std::unique_ptr<ModelRuntime> MakeTorchRuntime(MemoryManager& manager, int threads,
                                               KernelChoice kernels = KernelChoice::kFastest);

}  // namespace imgmill
