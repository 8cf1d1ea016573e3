// The plan of numerics as one line, for reports and fingerprints; how much a model gives; and a single batch.
#include <algorithm>

#include "imgmill/infer/model_runtime.h"

namespace imgmill {

size_t BatchModel::OutputFloats(int height, int width) const {
  const ModelInfo& model = info();
  if (model.dimension > 0) return static_cast<size_t>(model.dimension);
  const auto scale = static_cast<size_t>(model.scale);
  return 3 * static_cast<size_t>(height) * static_cast<size_t>(width) * scale * scale;
}

Status BatchModel::Forward(const float* input, float* output, int n, int height, int width, int device) {
  Result<std::unique_ptr<ModelStream>> stream = OpenStream(device);
  if (!stream) return stream.error();
  const size_t in_floats = 3 * static_cast<size_t>(height) * static_cast<size_t>(width);
  std::vector<BatchPicture> pictures;
  for (size_t i = 0; i < static_cast<size_t>(std::max(0, n)); ++i)
    pictures.push_back({input + i * in_floats, output + i * OutputFloats(height, width)});
  return (*stream)->Run(pictures, n, height, width);
}

std::string NumericsPlan::Describe() const {
  std::string text = "kernels=" + kernels + " dtype=" + dtype;
  text += " tile=" + (tile > 0 ? std::to_string(tile) : std::string("none"));
  text += " overlap=" + std::to_string(overlap);
  text += " micro_batch=" + std::to_string(micro_batch);
  return text;
}

}  // namespace imgmill
