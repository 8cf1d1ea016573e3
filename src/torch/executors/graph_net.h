// A LayerGraph run by LibTorch, layer by layer: on an accelerator, and as what our own kernels are compared
// with.
#pragma once

#include <memory>

#include "networks/kernels/layer_graph.h"
#include "torch/executors/module_executor.h"

namespace imgmill {

/// Its weights, copied to that place. @throws c10::Error, OutOfMemory
std::shared_ptr<UpscaleNet> MakeGraphNet(std::shared_ptr<const LayerGraph> graph, const NetPlace& place);

/// What it holds at the peak for one image of this size, beside input and output, in bytes of float32.
size_t GraphNetBytes(const LayerGraph& graph, int height, int width);

}  // namespace imgmill
