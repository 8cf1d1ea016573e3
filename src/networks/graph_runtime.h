// Loads models without LibTorch where it can: networks that are graphs, on the CPU.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "imgmill/infer/model_runtime.h"

namespace imgmill {

/// Opens the runtime that has LibTorch, on first need.
using OpenLibTorch = std::function<Result<std::unique_ptr<ModelRuntime>>()>;

/// What our own kernels have no form of, and whatever is to run on an accelerator, is the other runtime's.
/// The manager must outlive it.
std::unique_ptr<ModelRuntime> MakeGraphRuntime(MemoryManager& manager, int threads, OpenLibTorch open);

/// Whether that model on those devices is for the other runtime. False for a file that cannot be read, which
/// is told when it is loaded.
/// @param devices  as --device has them
bool NeedsLibTorch(const std::string& path, const std::string& devices);

}  // namespace imgmill
