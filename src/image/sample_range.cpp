// A table of all numbers of the type: exact, and as fast as arithmetic.
#include "sample_range.h"

#include <algorithm>
#include <vector>

#include "full_range.h"

namespace imgmill {
namespace {

constexpr const char* kBits = "imgmill-sample-bits";

int MetaNumber(VipsImage* image, const char* name) {
  int value = 0;
  double wide = 0;  // libvips notes some numbers as int and others as double
  if (vips_image_get_typeof(image, name) == G_TYPE_INT && vips_image_get_int(image, name, &value) == 0)
    return value;
  if (vips_image_get_typeof(image, name) == G_TYPE_DOUBLE && vips_image_get_double(image, name, &wide) == 0 &&
      wide >= 0 && wide <= 65535)
    return static_cast<int>(wide);
  return 0;
}

uint32_t Largest(VipsImage* image) {
  return image->BandFmt == VIPS_FORMAT_UCHAR ? 255 : image->BandFmt == VIPS_FORMAT_USHORT ? 65535 : 0;
}

template <typename T>
ImageRef MapThrough(VipsImage* image, const SampleRange& range, uint32_t largest) {
  std::vector<T> table(size_t{largest} + 1);
  for (uint32_t v = 0; v <= largest; ++v) {
    table[v] = static_cast<T>(OnFullRange(std::min(v >> range.shift, range.white), range.white, largest));
  }
  const ImageRef lut(vips_image_new_from_memory_copy(table.data(), table.size() * sizeof(T),
                                                     static_cast<int>(table.size()), 1, 1, image->BandFmt));
  VipsImage* mapped = nullptr;
  if (!lut || vips_maplut(image, &mapped, lut.get(), nullptr) != 0) return {};
  return ImageRef(mapped);
}

}  // namespace

SampleRange RangeOf(VipsImage* image) {
  const uint32_t largest = Largest(image);
  if (largest == 0) return {};
  const int bits = std::max(MetaNumber(image, kBits), MetaNumber(image, "heif-bitdepth"));  // one at most
  const int room = largest == 255 ? 8 : 16;
  if (bits <= 0 || bits >= room) return {};
  return {(uint32_t{1} << bits) - 1, room - bits};
}

void NoteSampleBits(VipsImage* image, int bits) {
  vips_image_set_int(image, kBits, bits);
}

ImageRef ToFullRange(VipsImage* image, const SampleRange& range) {
  return image->BandFmt == VIPS_FORMAT_UCHAR ? MapThrough<uint8_t>(image, range, 255)
                                             : MapThrough<uint16_t>(image, range, 65535);
}

}  // namespace imgmill
