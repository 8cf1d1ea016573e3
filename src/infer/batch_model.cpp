// How much a model gives, and a single batch.
#include <algorithm>

#include "base/try.h"
#include "imgmill/infer/model_runtime.h"

namespace imgmill {

Status ModelStream::RunSamples(std::span<const SampleImage>, const SampleForm&, int, int, int) {
  return Error{Stage::kCompute, Code::kInternal, "this model takes planes"};
}

size_t BatchModel::OutputFloats(int height, int width) const {
  const ModelInfo& model = info();
  if (model.dimension > 0) return static_cast<size_t>(model.dimension);
  const auto scale = static_cast<size_t>(model.scale);
  return 3 * static_cast<size_t>(height) * static_cast<size_t>(width) * scale * scale;
}

Status BatchModel::Forward(const float* input, float* output, int n, int height, int width, WorkPlace place) {
  std::unique_ptr<ModelStream> stream = TRY(OpenStream(place));
  const size_t in_floats = 3 * static_cast<size_t>(height) * static_cast<size_t>(width);
  std::vector<BatchImage> images;
  for (size_t i = 0; i < static_cast<size_t>(std::max(0, n)); ++i)
    images.push_back({input + i * in_floats, output + i * OutputFloats(height, width)});
  return stream->Run(images, n, height, width);
}

}  // namespace imgmill
