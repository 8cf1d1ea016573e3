// Reads the few tags of an ICC profile (ICC.1:2010, sections 7.2, 10.5, 10.15 and 10.27) that tell sRGB from
// everything else, so that the common case needs no colour engine.
#include "icc_profile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace imgmill {
namespace {

class Reader {
 public:
  explicit Reader(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}
  bool Has(size_t at, size_t count) const { return at <= bytes_.size() && bytes_.size() - at >= count; }
  uint32_t U16(size_t at) const { return static_cast<uint32_t>(bytes_[at] << 8 | bytes_[at + 1]); }
  uint32_t U32(size_t at) const { return U16(at) << 16 | U16(at + 2); }
  double Fixed(size_t at) const { return static_cast<int32_t>(U32(at)) / 65536.0; }  // s15Fixed16Number
  bool Is(size_t at, const char* four) const {
    return Has(at, 4) && std::memcmp(bytes_.data() + at, four, 4) == 0;
  }

  /// Offset of a tag's data, 0 if it is missing or lies outside.
  size_t Tag(const char* signature, size_t least_bytes) const {
    if (!Has(128, 4)) return 0;
    const uint32_t count = U32(128);
    for (uint32_t i = 0; i < count && Has(132 + 12 * size_t{i}, 12); ++i) {
      const size_t entry = 132 + 12 * size_t{i};
      if (!Is(entry, signature)) continue;
      const size_t at = U32(entry + 4);
      return Has(at, least_bytes) ? at : 0;
    }
    return 0;
  }

 private:
  const std::vector<uint8_t>& bytes_;
};

// IEC 61966-2-1, from linear light to code value, both 0..1.
double SrgbFromLinear(double v) {
  return v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
}

// The curve's value at `v`, or -1 for a kind of curve that is not understood.
double Curve(const Reader& r, size_t at, double v) {
  if (r.Is(at, "curv")) {
    const size_t count = r.U32(at + 8);
    if (count == 0) return v;
    if (!r.Has(at + 12, 2 * count)) return -1;
    if (count == 1) return std::pow(v, r.U16(at + 12) / 256.0);
    const double place = v * static_cast<double>(count - 1);
    const size_t below = std::min(static_cast<size_t>(place), count - 2);
    const double part = place - static_cast<double>(below);
    return (r.U16(at + 12 + 2 * below) * (1 - part) + r.U16(at + 14 + 2 * below) * part) / 65535.0;
  }
  if (r.Is(at, "para") && r.U16(at + 8) == 3 && r.Has(at + 12, 20)) {
    const double g = r.Fixed(at + 12), a = r.Fixed(at + 16), b = r.Fixed(at + 20);
    const double c = r.Fixed(at + 24), d = r.Fixed(at + 28);
    return v >= d ? std::pow(a * v + b, g) : c * v;
  }
  return -1;
}

// Primaries of sRGB adapted to D50, as the sRGB profiles of the ICC and of HP have them.
struct Primary {
  const char* tag;
  double x, y, z;
};
constexpr Primary kPrimaries[] = {
    {"rXYZ", 0.4361, 0.2225, 0.0139}, {"gXYZ", 0.3851, 0.7169, 0.0971}, {"bXYZ", 0.1431, 0.0606, 0.7141}};

bool HasSrgbCurve(const Reader& r, const char* tag) {
  const size_t at = r.Tag(tag, 12);
  if (at == 0) return false;
  for (int i = 0; i <= 16; ++i) {
    const double linear = Curve(r, at, i / 16.0);
    // Turned this way round, since a power of a negative number is no number, which is neither less nor more.
    if (!(linear >= 0 && std::abs(SrgbFromLinear(linear) - i / 16.0) <= 1 / 255.0)) return false;
  }
  return true;
}

}  // namespace

ProfileSpace SpaceOfProfile(const std::vector<uint8_t>& profile) {
  const Reader r(profile);
  if (!r.Has(0, 132) || !r.Is(36, "acsp")) return ProfileSpace::kUnusable;
  if (r.Is(16, "RGB ")) return ProfileSpace::kRgb;
  if (r.Is(16, "GRAY")) return ProfileSpace::kGrey;
  if (r.Is(16, "CMYK")) return ProfileSpace::kCmyk;
  return ProfileSpace::kOther;
}

bool IsPlainSrgb(const std::vector<uint8_t>& profile) {
  const Reader r(profile);
  const ProfileSpace space = SpaceOfProfile(profile);
  // A table (A2B) takes precedence over the matrix and may do anything.
  if (r.Tag("A2B0", 4) != 0) return false;
  if (space == ProfileSpace::kGrey) return HasSrgbCurve(r, "kTRC");
  if (space != ProfileSpace::kRgb) return false;
  for (const Primary& primary : kPrimaries) {
    const size_t at = r.Tag(primary.tag, 20);
    if (at == 0 || !r.Is(at, "XYZ ")) return false;
    if (std::abs(r.Fixed(at + 8) - primary.x) > 0.003 || std::abs(r.Fixed(at + 12) - primary.y) > 0.003 ||
        std::abs(r.Fixed(at + 16) - primary.z) > 0.003) {
      return false;
    }
  }
  return HasSrgbCurve(r, "rTRC") && HasSrgbCurve(r, "gTRC") && HasSrgbCurve(r, "bTRC");
}

}  // namespace imgmill
