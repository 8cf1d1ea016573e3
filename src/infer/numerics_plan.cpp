// The plan of numerics as one line, for reports and fingerprints; and how much a model gives.
#include "imgmill/infer/model_runtime.h"

namespace imgmill {

size_t BatchModel::OutputFloats(int height, int width) const {
  const ModelInfo& model = info();
  if (model.dimension > 0) return static_cast<size_t>(model.dimension);
  const auto scale = static_cast<size_t>(model.scale);
  return 3 * static_cast<size_t>(height) * static_cast<size_t>(width) * scale * scale;
}

std::string NumericsPlan::Describe() const {
  std::string text = "kernels=" + kernels + " dtype=" + dtype;
  text += " tile=" + (tile > 0 ? std::to_string(tile) : std::string("none"));
  text += " overlap=" + std::to_string(overlap);
  text += " micro_batch=" + std::to_string(micro_batch);
  return text;
}

}  // namespace imgmill
