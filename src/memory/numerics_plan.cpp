// The plan of numerics as one line, for reports and fingerprints.
#include "imgmill/memory/numerics_plan.h"

namespace imgmill {

std::string_view ToString(Precision precision) {
  return precision == Precision::kHalf ? "float16" : "float32";
}

std::string NumericsPlan::Describe() const {
  std::string text = "kernels=" + kernels + " dtype=" + std::string(ToString(precision));
  text += " tile=" + (tile > 0 ? std::to_string(tile) : std::string("none"));
  text += " overlap=" + std::to_string(overlap);
  text += " micro_batch=" + std::to_string(micro_batch);
  return text;
}

}  // namespace imgmill
