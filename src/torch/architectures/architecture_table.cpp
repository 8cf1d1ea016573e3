// The table of architectures, one line each.
#include "imgmill/base/path_text.h"
#include "torch/architectures/architecture.h"

namespace imgmill {

extern const Architecture& kSrvggCompact;

std::span<const Architecture* const> Architectures() {
  static const Architecture* const table[] = {
      &kSrvggCompact,
  };
  return table;
}

Result<const Architecture*> DetectArchitecture(const StateDict& weights) {
  for (const Architecture* architecture : Architectures()) {
    if (architecture->Matches(weights)) return architecture;
  }
  std::string names;
  int shown = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    if (shown++ == 3) break;
    names += (names.empty() ? "" : ", ") + PrintablePath(name);
  }
  return Error{Stage::kConfigure, Code::kModelError,
               "its " + std::to_string(weights.tensors.size()) + " tensors (" + names +
                   ", ...) are those of no architecture that imgmill knows; it knows SRVGGNetCompact "
                   "(realesr-animevideov3, realesr-general)"};
}

Result<torch::Tensor> ToTensor(const WeightTensor& weights, c10::Device device) {
  Result<Buffer> floats = ToFloats(weights);
  if (!floats) return floats.error();
  const torch::Tensor view = torch::from_blob(floats->data(), weights.shape, torch::kFloat32);
  return view.to(device, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace imgmill
