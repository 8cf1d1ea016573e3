// What is told by "pitm", "iref", "iinf", "ipco" and "ipma" (ISO 23008-12), "av1C" (AV1-ISOBMFF), "colr" (ISO
// 14496-12), and by the streams themselves.
#include "heif_image.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "av1_header.h"
#include "heif_boxes.h"

namespace imgmill {
namespace {

/// What is asked of a property.
struct Property {
  bool grey = false;     ///< AV1 without colour
  bool told = false;     ///< which matrix and range it has
  bool limited = false;  ///< black is 16 and white 235, of 255
  uint32_t matrix = 0;   ///< Av1Header's
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
      content.Skip(4);  // primaries, transfer
      property.matrix = static_cast<uint32_t>(content.Take(2));
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
      const Property& property = properties[index - 1];
      all.grey |= property.grey;
      all.limited |= property.limited;
      all.told |= property.told;
      if (property.told) all.matrix = std::max(all.matrix, property.matrix);
    }
  }
  return all;
}

struct References {
  bool multiplied = false;    ///< colours by alpha
  std::set<uint64_t> parts;   ///< the tiles of the image
  std::set<uint64_t> beside;  ///< alpha and other planes that belong to it
};

References ReferencesOf(BoxReader box, uint64_t image) {
  References references;
  const size_t item_bytes = box.Take(4) >> 24 == 0 ? 2 : 4;
  while (box.more()) {
    const BoxReader::Box reference = box.NextBox();
    BoxReader items = box.Within(reference);
    const uint64_t from = items.Take(item_bytes);
    if (from == image && reference.kind == BoxName("prem")) references.multiplied = true;
    const bool beside = reference.kind == BoxName("auxl");
    if (!beside && (from != image || reference.kind != BoxName("dimg"))) continue;
    const uint64_t count = items.Take(2);
    for (uint64_t i = 0; i < count && items.ok(); ++i) {
      const uint64_t to = items.Take(item_bytes);
      if (!beside) references.parts.insert(to);
      if (beside && to == image) references.beside.insert(from);
    }
  }
  return references;
}

/// Items that are AV1 streams.
std::set<uint64_t> Av1Items(BoxReader box) {
  std::set<uint64_t> found;
  box.Skip(box.Take(4) >> 24 == 0 ? 2 : 4);  // how many
  while (box.more()) {
    const BoxReader::Box entry = box.NextBox();
    BoxReader content = box.Within(entry);
    const uint64_t version = content.Take(4) >> 24;
    const uint64_t item = content.Take(version < 3 ? 2 : 4);
    content.Skip(2);  // protection
    if (version >= 2 && content.Take(4) == BoxName("av01") && content.ok()) found.insert(item);
  }
  return found;
}

/// The boxes that tell of the image, and what they say.
class HeifImage {
 public:
  explicit HeifImage(const InputFile& file);

  bool multiplied() const { return references_.multiplied; }
  /// Of the image and its tiles.
  const Property& properties() const { return properties_; }
  const std::set<uint64_t>& beside() const { return references_.beside; }
  uint64_t item() const { return item_; }

  /// The streams of an item, or of its tiles, from where they begin. Nothing where one of them is of another
  /// kind than AV1, or lies elsewhere than in the file.
  std::optional<std::vector<HeifExtent>> Av1StreamsOf(uint64_t item) const;

 private:
  References ReferencesOf(uint64_t item) const {
    return has_references_ ? imgmill::ReferencesOf(boxes_of_references_, item) : References();
  }

  const std::vector<unsigned char> meta_;
  uint64_t item_ = 0;
  BoxReader boxes_of_references_{nullptr, 0};
  bool has_references_ = false;
  References references_;
  Property properties_;
  std::set<uint64_t> av1_;
  std::vector<HeifItemPlace> places_;
};

HeifImage::HeifImage(const InputFile& file) : meta_(ReadHeifMeta(file)) {
  BoxReader boxes(meta_.data(), meta_.size());
  std::optional<BoxReader> associations;
  std::vector<Property> properties;
  while (boxes.more()) {
    const BoxReader::Box box = boxes.NextBox();
    BoxReader content = boxes.Within(box);
    if (box.kind == BoxName("pitm")) item_ = content.Take(content.Take(4) >> 24 == 0 ? 2 : 4);
    if (box.kind == BoxName("iref")) boxes_of_references_ = content, has_references_ = true;
    if (box.kind == BoxName("iinf")) av1_ = Av1Items(content);
    if (box.kind == BoxName("iloc")) places_ = HeifItemPlaces(content);
    if (box.kind != BoxName("iprp")) continue;
    while (content.more()) {
      const BoxReader::Box inner = content.NextBox();
      if (inner.kind == BoxName("ipco")) properties = PropertiesIn(content.Within(inner));
      if (inner.kind == BoxName("ipma")) associations = content.Within(inner);
    }
  }
  references_ = ReferencesOf(item_);
  std::set<uint64_t> parts = references_.parts;
  parts.insert(item_);
  if (associations) properties_ = Gather(*associations, parts, properties);
}

std::optional<std::vector<HeifExtent>> HeifImage::Av1StreamsOf(uint64_t item) const {
  std::set<uint64_t> parts = ReferencesOf(item).parts;
  if (parts.empty()) parts.insert(item);
  std::vector<HeifExtent> streams;
  for (const HeifItemPlace& place : places_) {
    if (parts.contains(place.item) && av1_.contains(place.item)) streams.push_back(place.first);
  }
  if (streams.size() != parts.size()) return std::nullopt;
  return streams;
}

constexpr uint32_t kRgb = 0;  // the matrix of colours that are stored as they are

/// Whether what was given to the encoder was stored as it is.
bool IsLosslessStream(const Av1Header& header, const Property& said) {
  const bool limited = said.told ? said.limited : header.limited;
  const uint32_t matrix = said.told ? said.matrix : header.matrix;
  return header.exact && !limited && (header.grey || (matrix == kRgb && header.full_colours));
}

}  // namespace

std::string HeifUnsupported(const InputFile& file) {
  const HeifImage image(file);
  // libheif leaves them so, and nothing that libvips hands out says that they are.
  if (image.multiplied())
    return "an image whose colours are stored multiplied by its alpha (write it without that, or as PNG)";
  // libheif 1.15 takes the numbers of grey as they are, and those of colours that are stored as RGB.
  const Property& said = image.properties();
  bool limited = said.limited, rgb = said.told && said.matrix == kRgb;
  if (!said.told) {
    // Where no box tells the range, the stream does.
    for (const HeifExtent& stream : image.Av1StreamsOf(image.item()).value_or(std::vector<HeifExtent>())) {
      const Av1Header header = ReadAv1Header(file, stream.at, stream.bytes);
      limited |= header.limited;
      rgb |= header.told && header.matrix == kRgb;
    }
  }
  if (!limited || (!said.grey && !rgb)) return {};
  return std::string(said.grey ? "a grey AVIF" : "an AVIF of RGB") +
         " of limited range, where 16 is black and 235 white (write it with full range)";
}

bool IsLosslessHeif(const InputFile& file) {
  const HeifImage image(file);
  const auto is_lossless = [&](uint64_t item, const Property& said) {
    const std::optional<std::vector<HeifExtent>> streams = image.Av1StreamsOf(item);
    return streams && std::ranges::all_of(*streams, [&](const HeifExtent& stream) {
             return IsLosslessStream(ReadAv1Header(file, stream.at, stream.bytes), said);
           });
  };
  return is_lossless(image.item(), image.properties()) &&
         std::ranges::all_of(image.beside(), [&](uint64_t item) { return is_lossless(item, {}); });
}

}  // namespace imgmill
