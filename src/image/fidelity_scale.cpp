// How quality, samples and bits are put into one number, and what a small palette is worth.
#include "imgmill/image/fidelity_scale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "fidelity.h"

namespace imgmill {
namespace {

constexpr uint32_t kLossless = uint32_t{1} << 24;
constexpr int kSamplingBits = 10;

struct Reduced {
  int colours = 0;  ///< at most
  double quality = 0;
};

// Measured on 37 photos (each third of BSDS500's validation part, cut so that the grid of their own JPEG
// blocks is off, and scikit-image's astronaut, coffee and chelsea), reduced by Pillow 13.0 (median cut, grey
// in even steps), without and with its Floyd-Steinberg dither: the quality of Pillow's JPEG (4:4:4 or grey)
// of equal mean PSNR, and that of equal mean SSIM; the mean of these four, between two steps, so that they
// never tie with a JPEG. With 256 colours they are 89, 81, 95 and 87; with 16, 23, 12, 58 and 17.
constexpr std::array<Reduced, 6> kReducedColours = {
    {{8, 11.5}, {16, 27.5}, {32, 45.5}, {64, 65.5}, {128, 80.5}, {256, 87.5}}};
constexpr std::array<Reduced, 5> kReducedGreys = {{{4, 1.5}, {8, 8.5}, {16, 47.5}, {32, 85.5}, {64, 95.5}}};

}  // namespace

uint32_t LossyFidelity(double quality, double samples) {
  const double beside_luma = std::clamp(samples - 1, 0.0, 10.0);
  return static_cast<uint32_t>(std::lround(2 * quality)) << kSamplingBits |
         static_cast<uint32_t>(std::lround(100 * beside_luma));
}

uint32_t LosslessFidelity(int bits_per_sample, bool has_more) {
  return kLossless | static_cast<uint32_t>(bits_per_sample) << 1 | (has_more ? 1u : 0u);
}

bool IsLosslessFidelity(uint32_t fidelity) {
  return fidelity >= kLossless;
}

double QualityOfJpeg(uint32_t fidelity) {
  return static_cast<double>(fidelity >> kSamplingBits) / 2;
}

uint32_t FidelityWithoutColour(uint32_t fidelity) {
  return IsLosslessFidelity(fidelity) ? fidelity : fidelity >> kSamplingBits << kSamplingBits;
}

uint32_t FidelityOfFewColours(uint32_t fidelity, int colours, bool shows_colour) {
  const std::span<const Reduced> table =
      shows_colour ? std::span<const Reduced>(kReducedColours) : std::span<const Reduced>(kReducedGreys);
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const Reduced& reduced) { return colours <= reduced.colours; });
  return row == table.end() ? fidelity : LossyFidelity(row->quality, 1);
}

}  // namespace imgmill
