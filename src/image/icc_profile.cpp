// Reads the few tags of an ICC profile (ICC.1:2010, sections 7.2, 10.5, 10.15 and 10.27) that tell sRGB from
// everything else, so that the common case needs no colour engine.
#include "icc_profile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>

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
    const size_t entry = Entry(signature);
    const size_t at = entry == 0 ? 0 : U32(entry + 4);
    return Has(at, least_bytes) ? at : 0;
  }

  /// A tag's data; nothing if it is missing or lies outside.
  std::span<const uint8_t> Data(const char* signature) const {
    const size_t entry = Entry(signature);
    if (entry == 0) return {};
    const size_t at = U32(entry + 4), bytes = U32(entry + 8);
    return Has(at, bytes) ? std::span(bytes_).subspan(at, bytes) : std::span<const uint8_t>();
  }

 private:
  size_t Entry(const char* signature) const {
    if (!Has(128, 4)) return 0;
    const uint32_t count = U32(128);
    for (uint32_t i = 0; i < count && Has(132 + 12 * size_t{i}, 12); ++i) {
      const size_t entry = 132 + 12 * size_t{i};
      if (Is(entry, signature)) return entry;
    }
    return 0;
  }

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

std::vector<uint8_t> RgbOfGrey(const std::vector<uint8_t>& profile) {
  const Reader r(profile);
  const std::span<const uint8_t> curve = r.Data("kTRC");
  if (SpaceOfProfile(profile) != ProfileSpace::kGrey || !r.Is(20, "XYZ ") || curve.empty()) return {};
  std::vector<uint8_t> made(profile.begin(), profile.begin() + 128);
  const auto put = [&](size_t at, const char* four) { std::memcpy(made.data() + at, four, 4); };
  const auto add = [](std::vector<uint8_t>& to, uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<uint8_t>(value >> shift));
  };
  put(16, "RGB ");
  std::vector<std::pair<const char*, std::vector<uint8_t>>> tags;
  for (const char* kept : {"desc", "cprt", "wtpt"}) {
    const std::span<const uint8_t> data = r.Data(kept);
    if (!data.empty()) tags.emplace_back(kept, std::vector<uint8_t>(data.begin(), data.end()));
  }
  for (const Primary& primary : kPrimaries) {
    std::vector<uint8_t> data = {'X', 'Y', 'Z', ' ', 0, 0, 0, 0};
    for (const double value : {primary.x, primary.y, primary.z})
      add(data, static_cast<uint32_t>(std::lround(value * 65536)));
    tags.emplace_back(primary.tag, std::move(data));
  }
  for (const char* channel : {"rTRC", "gTRC", "bTRC"})
    tags.emplace_back(channel, std::vector<uint8_t>(curve.begin(), curve.end()));
  add(made, static_cast<uint32_t>(tags.size()));
  size_t at = 132 + 12 * tags.size();
  for (const auto& [tag, data] : tags) {
    made.insert(made.end(), tag, tag + 4);
    add(made, static_cast<uint32_t>(at));
    add(made, static_cast<uint32_t>(data.size()));
    at += (data.size() + 3) / 4 * 4;
  }
  for (const auto& [tag, data] : tags) {
    made.insert(made.end(), data.begin(), data.end());
    made.resize((made.size() + 3) / 4 * 4);
  }
  for (const int i : {0, 1, 2, 3})
    made[static_cast<size_t>(i)] = static_cast<uint8_t>(made.size() >> (24 - 8 * i));
  std::fill_n(made.begin() + 84, 16, uint8_t{0});  // the digest was that of the other profile
  return made;
}

bool IsPlainSrgb(const std::vector<uint8_t>& profile) {
  const Reader r(profile);
  const ProfileSpace space = SpaceOfProfile(profile);
  // A table (A2B) takes precedence over the matrix and may do anything.
  if (r.Tag("A2B0", 4) != 0) return false;
  // To Lab a curve gives lightness, not light.
  if (space == ProfileSpace::kGrey) return r.Is(20, "XYZ ") && HasSrgbCurve(r, "kTRC");
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
