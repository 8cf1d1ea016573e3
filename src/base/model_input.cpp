#include "imgmill/base/model_input.h"

#include <cstdio>

namespace imgmill {

std::string_view ToString(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::kLanczos:
      return "lanczos";
    case ResizeFilter::kTriangle:
      return "bilinear";
    case ResizeFilter::kCubic:
      return "bicubic";
  }
  return "unknown";
}

void ModelInput::SetMean(const std::array<double, 3>& mean, const std::array<double, 3>& deviation) {
  for (size_t i = 0; i < 3; ++i) {
    scale[i] = static_cast<float>(1 / (255 * deviation[i]));
    shift[i] = static_cast<float>(-mean[i] / deviation[i]);
  }
}

std::string ModelInput::Describe() const {
  std::string resize = rule == SquareRule::kCrop ? "crop" : "squash";
  if (rule == SquareRule::kShorter)
    resize = "shorter:" + std::to_string(shorter) + (crop_floors ? ",floor" : "");
  if (rule == SquareRule::kGrid) resize = "grid:" + std::to_string(grid) + "x" + std::to_string(grid);
  // What there was before there were other filters stays as it was: catalogs have it.
  if (filter != ResizeFilter::kTriangle) resize += " filter=" + std::string(ToString(filter));
  char text[320];
  std::snprintf(text, sizeof text, "side=%d scale=%.9g,%.9g,%.9g shift=%.9g,%.9g,%.9g resize=%s channels=%s",
                side, static_cast<double>(scale[0]), static_cast<double>(scale[1]),
                static_cast<double>(scale[2]), static_cast<double>(shift[0]), static_cast<double>(shift[1]),
                static_cast<double>(shift[2]), resize.c_str(), bgr ? "bgr" : "rgb");
  return text;
}

}  // namespace imgmill
