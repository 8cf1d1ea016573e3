// Where the boxes of a file stand, and its items by "iloc" (ISO 14496-12).
#include "heif_boxes.h"

#include <algorithm>

namespace imgmill {
namespace {

constexpr uint64_t kMostMeta = uint64_t{1} << 20;
// Files have a handful of boxes; one of nothing but the shortest is made to waste time.
constexpr int kMostBoxes = 4096;

}  // namespace

std::vector<unsigned char> ReadHeifMeta(const InputFile& file) {
  const auto end = static_cast<uint64_t>(file.bytes());
  uint64_t at = 0;
  for (int box = 0; box < kMostBoxes && at + 8 <= end; ++box) {
    unsigned char head[8] = {};
    if (!file.ReadExactly(at, head, sizeof head)) return {};
    BoxReader reader(head, sizeof head);
    const uint64_t bytes = reader.Take(4);
    const uint64_t kind = reader.Take(4);
    if (bytes < 8 || bytes > end - at) return {};  // also the long ones, which only media data has
    if (kind == BoxName("meta") && bytes > 12 && bytes <= kMostMeta) {
      std::vector<unsigned char> meta(static_cast<size_t>(bytes) - 12);  // less version and flags
      if (!file.ReadExactly(at + 12, meta.data(), meta.size())) return {};
      return meta;
    }
    at += bytes;
  }
  return {};
}

std::vector<HeifItemPlace> HeifItemPlaces(BoxReader box) {
  std::vector<HeifItemPlace> places;
  const uint64_t version = box.Take(4) >> 24;
  const uint64_t sizes = box.Take(2);
  const size_t offset_bytes = sizes >> 12 & 15;
  const size_t length_bytes = sizes >> 8 & 15;
  const size_t base_bytes = sizes >> 4 & 15;
  const size_t index_bytes = version == 0 ? 0 : sizes & 15;
  if (std::max({offset_bytes, length_bytes, base_bytes, index_bytes}) > 8) return {};
  const uint64_t count = box.Take(version < 2 ? 2 : 4);
  for (uint64_t i = 0; i < count && box.ok(); ++i) {
    HeifItemPlace place;
    place.item = box.Take(version < 2 ? 2 : 4);
    const uint64_t method = version == 0 ? 0 : box.Take(2) & 15;
    box.Skip(2);
    const uint64_t base = box.Take(base_bytes);
    const uint64_t parts = box.Take(2);
    // Parts without numbers are alike, and take no bytes: 65,535 of them for each item would take a minute.
    const uint64_t told =
        index_bytes + offset_bytes + length_bytes == 0 ? std::min<uint64_t>(parts, 1) : parts;
    for (uint64_t part = 0; part < told && box.ok(); ++part) {
      box.Skip(index_bytes);
      const uint64_t offset = box.Take(offset_bytes);
      place.last = {base + offset, box.Take(length_bytes)};
      if (part == 0) place.first = place.last;
    }
    if (box.ok() && method == 0) places.push_back(place);
  }
  return places;
}

}  // namespace imgmill
