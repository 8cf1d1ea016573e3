// AVIF: the data of an AV1 tile ends in a 1 bit and the zeros that fill its byte (AV1, 8.2.4), so a row of
// zero bytes at its end was never written. Where an image's data lies, "iinf", "iloc" and "iref" say (ISO
// 14496-12, 8.11).
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "heif_boxes.h"
#include "image/missing_end.h"

namespace imgmill {
namespace {

// Encoders that pad have not been met; so many zeros are no chance.
constexpr uint64_t kZeros = 8;

/// Items that are coded by AV1.
std::set<uint64_t> CodedItems(BoxReader box) {
  std::set<uint64_t> items;
  const uint64_t version = box.Take(4) >> 24;
  box.Skip(version == 0 ? 2 : 4);
  while (box.more()) {
    BoxReader entry = box.Within(box.NextBox());
    const uint64_t entry_version = entry.Take(4) >> 24;
    if (entry_version < 2) continue;
    const uint64_t item = entry.Take(entry_version == 2 ? 2 : 4);
    entry.Skip(2);
    if (entry.Take(4) == BoxName("av01") && entry.ok()) items.insert(item);
  }
  return items;
}

/// Takes the thumbnails out.
void RemoveThumbnails(BoxReader box, std::set<uint64_t>& items) {
  const size_t width = box.Take(4) >> 24 == 0 ? 2 : 4;
  while (box.more()) {
    const BoxReader::Box reference = box.NextBox();
    if (reference.kind == BoxName("thmb")) items.erase(box.Within(reference).Take(width));
  }
}

}  // namespace

std::optional<Error> FindMissingAvifEnd(const InputFile& file) {
  const std::vector<unsigned char> meta = ReadHeifMeta(file);
  BoxReader boxes(meta.data(), meta.size());
  std::optional<BoxReader> places;
  std::optional<BoxReader> references;
  std::set<uint64_t> items;
  while (boxes.more()) {
    const BoxReader::Box box = boxes.NextBox();
    if (box.kind == BoxName("iinf")) items = CodedItems(boxes.Within(box));
    if (box.kind == BoxName("iloc")) places = boxes.Within(box);
    if (box.kind == BoxName("iref")) references = boxes.Within(box);
  }
  if (!places) return std::nullopt;
  if (references) RemoveThumbnails(*references, items);
  const auto end = static_cast<uint64_t>(file.bytes());
  for (const HeifItemPlace& place : HeifItemPlaces(*places)) {
    if (!items.contains(place.item)) continue;
    const HeifExtent& extent = place.last;
    if (extent.bytes < kZeros || extent.at > end || extent.bytes > end - extent.at) continue;
    if (ZerosAtEnd(file, extent.at, extent.bytes, kZeros) < kZeros) continue;
    return Error{
        Stage::kDecode, Code::kTruncated,
        "AVIF data of " + std::to_string(extent.bytes) + " bytes ends in zeros: the end was never written"};
  }
  return std::nullopt;
}

}  // namespace imgmill
