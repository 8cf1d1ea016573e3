// ICC profiles made by hand, byte by byte, from the format's description (ICC.1:2010).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace profile_builder {

inline std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

/// s15Fixed16Number
inline std::string Fixed(double value) {
  return BigEndian(static_cast<uint32_t>(std::lround(value * 65536)), 4);
}

/// A curve (a v + b)^g from d on, below it c v.
inline std::string Formula(double g, double a, double b, double c, double d) {
  return "para" + Fixed(0) + BigEndian(3, 2) + BigEndian(0, 2) + Fixed(g) + Fixed(a) + Fixed(b) + Fixed(c) +
         Fixed(d);
}

/// A curve by points; a single one is an exponent in 256ths.
inline std::string Points(const std::vector<uint64_t>& points) {
  std::string curve = "curv" + Fixed(0) + BigEndian(points.size(), 4);
  for (const uint64_t point : points) curve += BigEndian(point, 2);
  if (points.size() % 2 != 0) curve += std::string(2, '\0');
  return curve;
}

/// A profile of that colour space, of these tags.
inline std::string OfTags(const std::string& space,
                          const std::vector<std::pair<std::string, std::string>>& tags) {
  std::string table = BigEndian(tags.size(), 4), data;
  for (const auto& [name, content] : tags) {
    table += name + BigEndian(132 + 12 * tags.size() + data.size(), 4) + BigEndian(content.size(), 4);
    data += content;
  }
  std::string head(128, '\0');
  head.replace(0, 4, BigEndian(128 + table.size() + data.size(), 4));
  head.replace(8, 4, BigEndian(0x04200000, 4));
  head.replace(12, 4, "mntr");
  head.replace(16, 4, space);
  head.replace(20, 4, "XYZ ");
  head.replace(36, 4, "acsp");
  head.replace(68, 12, Fixed(0.9642) + Fixed(1) + Fixed(0.8249));
  return head + table + data;
}

/// An RGB profile of sRGB's primaries with one curve for all channels.
inline std::string Profile(const std::string& curve) {
  return OfTags("RGB ", {{"rXYZ", "XYZ " + Fixed(0) + Fixed(0.4361) + Fixed(0.2225) + Fixed(0.0139)},
                         {"gXYZ", "XYZ " + Fixed(0) + Fixed(0.3851) + Fixed(0.7169) + Fixed(0.0971)},
                         {"bXYZ", "XYZ " + Fixed(0) + Fixed(0.1431) + Fixed(0.0606) + Fixed(0.7141)},
                         {"rTRC", curve},
                         {"gTRC", curve},
                         {"bTRC", curve}});
}

/// One of grey.
inline std::string GreyProfile(const std::string& curve) {
  return OfTags("GRAY",
                {{"wtpt", "XYZ " + Fixed(0) + Fixed(0.9642) + Fixed(1) + Fixed(0.8249)}, {"kTRC", curve}});
}

}  // namespace profile_builder
