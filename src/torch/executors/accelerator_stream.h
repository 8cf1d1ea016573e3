// A LibTorch module on an accelerator, as one thread uses it.
#pragma once

#include <memory>

#include "networks/network.h"
#include "torch/executors/launch_thread.h"
#include "torch/executors/module_executor.h"

namespace imgmill {

/// Everything outlives the stream. Streams of one device share its launcher.
std::unique_ptr<ModelStream> MakeAcceleratorStream(const ModelInfo& info, const ModuleNets& nets,
                                                   c10::Device device, Precision precision,
                                                   LaunchThread& launcher);

/// The network's output for n x 3 x height x width, not yet clamped. A network for grey is shown each band by
/// itself.
torch::Tensor Enlarged(UpscaleNet& net, const ModelInfo& info, const torch::Tensor& input);

}  // namespace imgmill
