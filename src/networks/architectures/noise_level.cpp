#include "networks/architectures/noise_level.h"

#include <charconv>

#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr double kUsual = 15;  // of 255; also what the authors' programs and spandrel begin with

}  // namespace

Result<double> NoiseLevel(const StateDict& weights, ModelInfo& info) {
  info.takes_noise_level = true;
  const auto told = weights.metadata.find("noise_level");
  if (told == weights.metadata.end()) {
    info.assumed = "noise of a standard deviation of 15 of 255";
    return kUsual / 255;
  }
  const std::string& text = told->second;
  double level = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc() || end != text.data() + text.size() || !(level >= 0 && level <= 255))
    return WeightError("its metadata noise_level is no number from 0 to 255");
  return level / 255;
}

}  // namespace imgmill
