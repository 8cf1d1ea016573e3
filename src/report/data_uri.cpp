// Base64 (RFC 4648).
#include "imgmill/report/data_uri.h"

#include <cstdint>

namespace imgmill {

std::string JpegUri(const std::string& jpeg) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < jpeg.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < jpeg.size() ? static_cast<unsigned char>(jpeg[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= jpeg.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return jpeg.empty() ? "" : "data:image/jpeg;base64," + text;
}

}  // namespace imgmill
