// Rows as stored are columns where an image lies on its side.
#include "read_part.h"

#include <algorithm>
#include <cstring>

#include "image/readable_part.h"

namespace imgmill {

void ReadPart::Add(const std::vector<std::string>& notes, const ImageHeader& header, int scale) {
  const auto note = std::ranges::find_if(notes, IsPartNote);
  if (note == notes.end()) return;
  if (note_.empty()) note_ = *note;
  const std::optional<RowSpan> read = RowsRead(notes);
  if (!read) {
    everywhere_ = true;
    return;
  }
  const int turned = header.orientation;
  const bool from_end = turned == 3 || turned == 4 || turned == 6 || turned == 7;
  const int64_t begin = from_end ? header.height - read->end : read->begin;
  const int64_t end = from_end ? header.height - read->begin : read->end;
  int64_t& first = turned >= 5 ? left_ : top_;
  int64_t& last = turned >= 5 ? right_ : bottom_;
  first = std::max(first, begin * scale);
  if (end < header.height) last = std::min(last, end * scale);  // else tiles may reach beyond the image
}

bool ReadPart::HasNoneOf(const TilePlace& place, int64_t size) const {
  return place.x >= right_ || place.y >= bottom_ || place.x + size <= left_ || place.y + size <= top_;
}

bool ReadPart::HasAllOf(const TilePlace& place, int64_t size) const {
  return !everywhere_ && place.x >= left_ && place.y >= top_ && place.x + size <= right_ &&
         place.y + size <= bottom_;
}

std::string ReadPart::Pack() const {
  const int64_t numbers[] = {left_, top_, right_, bottom_, everywhere_ ? 1 : 0};
  return std::string(reinterpret_cast<const char*>(numbers), sizeof numbers) + note_;
}

std::optional<ReadPart> ReadPart::Unpack(std::string_view packed) {
  int64_t numbers[5];
  if (packed.size() < sizeof numbers) return std::nullopt;
  std::memcpy(numbers, packed.data(), sizeof numbers);
  ReadPart part;
  part.left_ = numbers[0], part.top_ = numbers[1], part.right_ = numbers[2], part.bottom_ = numbers[3];
  part.everywhere_ = numbers[4] != 0;
  part.note_ = packed.substr(sizeof numbers);
  return part;
}

}  // namespace imgmill
