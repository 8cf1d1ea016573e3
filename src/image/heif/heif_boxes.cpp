// Where items and their properties stand: "pitm", "iref", "ipco" and "ipma" (ISO 23008-12), "av1C"
// (AV1-ISOBMFF), "colr" (ISO 14496-12).
#include "heif_boxes.h"

#include <algorithm>
#include <optional>
#include <set>

#include "av1_sequence.h"

namespace imgmill {
namespace {

constexpr uint64_t kMostMeta = uint64_t{1} << 20;
// Files have a handful of boxes; one of nothing but the shortest is made to waste time.
constexpr int kMostBoxes = 4096;

/// What is asked of a property.
struct Property {
  bool grey = false;     ///< AV1 without colour
  bool told = false;     ///< which range it has
  bool limited = false;  ///< black is 16 and white 235, of 255
};

std::vector<Property> PropertiesIn(BoxReader boxes) {
  std::vector<Property> properties;
  while (boxes.more()) {
    const BoxReader::Box box = boxes.NextBox();
    BoxReader content = boxes.Within(box);
    Property property;
    if (box.kind == BoxName("av1C")) {
      content.Skip(2);
      property.grey = (content.Take(1) & 0x10) != 0;
    }
    if (box.kind == BoxName("colr") && content.Take(4) == BoxName("nclx")) {
      content.Skip(6);  // primaries, transfer, matrix
      property.limited = (content.Take(1) & 0x80) == 0 && content.ok();
      property.told = content.ok();
    }
    properties.push_back(property);
  }
  return properties;
}

/// All properties of these items in one.
Property Gather(BoxReader box, const std::set<uint64_t>& items, const std::vector<Property>& properties) {
  Property all;
  const uint64_t head = box.Take(4);
  const size_t item_bytes = head >> 24 == 0 ? 2 : 4;
  const size_t index_bytes = (head & 1) != 0 ? 2 : 1;
  const uint64_t entries = box.Take(4);
  for (uint64_t entry = 0; entry < entries && box.ok(); ++entry) {
    const bool asked = items.contains(box.Take(item_bytes));
    const uint64_t count = box.Take(1);
    for (uint64_t i = 0; i < count && box.ok(); ++i) {
      const uint64_t index = box.Take(index_bytes) & (index_bytes == 2 ? 0x7FFF : 0x7F);
      if (!asked || index == 0 || index > properties.size()) continue;
      all.grey |= properties[index - 1].grey;
      all.limited |= properties[index - 1].limited;
      all.told |= properties[index - 1].told;
    }
  }
  return all;
}

struct References {
  bool multiplied = false;   ///< colours by alpha
  std::set<uint64_t> parts;  ///< the tiles of the image
};

References ReferencesOf(BoxReader box, uint64_t image) {
  References references;
  const size_t item_bytes = box.Take(4) >> 24 == 0 ? 2 : 4;
  while (box.more()) {
    const BoxReader::Box reference = box.NextBox();
    BoxReader items = box.Within(reference);
    if (items.Take(item_bytes) != image) continue;
    if (reference.kind == BoxName("prem")) references.multiplied = true;
    if (reference.kind != BoxName("dimg")) continue;
    const uint64_t count = items.Take(2);
    for (uint64_t i = 0; i < count && items.ok(); ++i) references.parts.insert(items.Take(item_bytes));
  }
  return references;
}

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

std::string HeifUnsupported(const InputFile& file) {
  const std::vector<unsigned char> meta = ReadHeifMeta(file);
  BoxReader boxes(meta.data(), meta.size());
  uint64_t image = 0;
  std::optional<BoxReader> references;
  std::optional<BoxReader> associations;
  std::optional<BoxReader> places;
  std::vector<Property> properties;
  while (boxes.more()) {
    const BoxReader::Box box = boxes.NextBox();
    BoxReader content = boxes.Within(box);
    if (box.kind == BoxName("pitm")) image = content.Take(content.Take(4) >> 24 == 0 ? 2 : 4);
    if (box.kind == BoxName("iref")) references = content;
    if (box.kind == BoxName("iloc")) places = content;
    if (box.kind != BoxName("iprp")) continue;
    while (content.more()) {
      const BoxReader::Box inner = content.NextBox();
      if (inner.kind == BoxName("ipco")) properties = PropertiesIn(content.Within(inner));
      if (inner.kind == BoxName("ipma")) associations = content.Within(inner);
    }
  }
  References of_image;
  if (references) of_image = ReferencesOf(*references, image);
  // libheif leaves them so, and nothing that libvips hands out says that they are.
  if (of_image.multiplied)
    return "an image whose colours are stored multiplied by its alpha (write it without that, or as PNG)";
  of_image.parts.insert(image);
  // libheif 1.15 takes the numbers of grey as they are.
  if (associations) {
    const Property all = Gather(*associations, of_image.parts, properties);
    // Where no box tells the range, the stream does.
    bool limited = all.limited;
    if (all.grey && !all.told && places) {
      for (const HeifItemPlace& place : HeifItemPlaces(*places)) {
        limited |=
            of_image.parts.contains(place.item) && Av1RangeIsLimited(file, place.first.at, place.first.bytes);
      }
    }
    if (all.grey && limited)
      return "a grey AVIF of limited range, where 16 is black and 235 white (write it with full range)";
  }
  return {};
}

}  // namespace imgmill
