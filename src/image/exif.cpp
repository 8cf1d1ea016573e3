// Walks the directories of an EXIF block.
#include "exif.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace imgmill {
namespace {

constexpr uint32_t kExifDirectory = 0x8769;
constexpr uint32_t kOrientation = 0x0112;
constexpr uint32_t kMainWidth = 0x0100;
constexpr uint32_t kMainHeight = 0x0101;
constexpr uint32_t kWidth = 0xA002;
constexpr uint32_t kHeight = 0xA003;
constexpr uint32_t kAscii = 2;
constexpr uint32_t kShort = 3;
constexpr uint32_t kLong = 4;
constexpr uint32_t kRational = 5;
constexpr uint32_t kSignedRational = 10;
constexpr size_t kEntryBytes = 12;

/// Of one value of a type; 0 for types that EXIF does not have.
size_t ValueBytes(uint32_t type) {
  constexpr size_t kBytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  return type < std::size(kBytes) ? kBytes[type] : 0;
}

/// Types of an entry that says where a directory is: LONG, and TIFF's own for it.
bool IsPlace(uint32_t type) {
  constexpr uint32_t kDirectory = 13;
  return type == kLong || type == kDirectory;
}

std::span<const uint8_t> WithoutName(std::span<const uint8_t> block) {
  const bool named = block.size() > 6 && std::memcmp(block.data(), "Exif\0\0", 6) == 0;
  return named ? block.subspan(6) : block;
}

}  // namespace

ExifBlock::ExifBlock(std::span<const uint8_t> tiff) : tiff_(WithoutName(tiff)) {
  if (tiff_.size() < 8) return;
  big_ = std::memcmp(tiff_.data(), "MM\0*", 4) == 0;
  if (big_ || std::memcmp(tiff_.data(), "II*\0", 4) == 0) main_ = U32(4);
}

uint32_t ExifBlock::U16(size_t at) const {
  return static_cast<uint32_t>(big_ ? tiff_[at] << 8 | tiff_[at + 1] : tiff_[at + 1] << 8 | tiff_[at]);
}

uint32_t ExifBlock::U32(size_t at) const {
  return big_ ? U16(at) << 16 | U16(at + 2) : U16(at + 2) << 16 | U16(at);
}

std::optional<ExifBlock::Entry> ExifBlock::Find(uint32_t directory, uint32_t tag) const {
  if (directory == 0 || directory > tiff_.size() || tiff_.size() - directory < 2) return std::nullopt;
  const size_t entries = U16(directory);
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + kEntryBytes * i;
    if (at + kEntryBytes > tiff_.size()) return std::nullopt;
    if (U16(at) == tag) return Entry{at, U16(at + 2), U32(at + 4)};
  }
  return std::nullopt;
}

std::optional<ExifBlock::Entry> ExifBlock::InExif(uint32_t tag) const {
  const std::optional<Entry> own = InMain(kExifDirectory);
  return own && IsPlace(own->type) ? Find(U32(own->at + 8), tag) : std::nullopt;
}

std::optional<uint32_t> ExifBlock::Number(const std::optional<Entry>& entry) const {
  if (!entry) return std::nullopt;
  return entry->type == kLong ? U32(entry->at + 8) : U16(entry->at + 8);
}

std::optional<std::string> ExifBlock::Text(const std::optional<Entry>& entry) const {
  if (!entry || entry->type != kAscii) return std::nullopt;
  const size_t at = entry->count <= 4 ? entry->at + 8 : U32(entry->at + 8);
  if (at > tiff_.size() || tiff_.size() - at < entry->count) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(tiff_.data()) + at, entry->count);
  text.resize(std::min(text.find('\0'), text.size()));
  text.resize(text.find_last_not_of(" \t\r\n") + 1);  // nothing but white space: to none
  if (text.empty()) return std::nullopt;
  return text;
}

std::optional<double> ExifBlock::Value(const std::optional<Entry>& entry) const {
  if (!entry || entry->count == 0 || !Holds(*entry)) return std::nullopt;
  if (entry->type == kShort) return U16(entry->at + 8);
  if (entry->type == kLong) return U32(entry->at + 8);
  if (entry->type != kRational && entry->type != kSignedRational) return std::nullopt;
  const size_t at = U32(entry->at + 8);
  const auto number = [&](size_t place) {
    const uint32_t bits = U32(place);
    return entry->type == kRational ? static_cast<double>(bits)
                                    : static_cast<double>(static_cast<int32_t>(bits));
  };
  const double below = number(at + 4);
  return below == 0 ? std::nullopt : std::optional<double>(number(at) / below);
}

bool ExifBlock::Holds(const Entry& entry) const {
  const size_t each = ValueBytes(entry.type);
  if (each == 0) return false;
  if (entry.count <= 4 / each) return true;
  const size_t at = U32(entry.at + 8);
  return at <= tiff_.size() && entry.count <= (tiff_.size() - at) / each;
}

bool ExifBlock::HoldsDirectory(uint32_t directory) const {
  if (directory > tiff_.size() || tiff_.size() - directory < 2) return false;
  return U16(directory) <= (tiff_.size() - directory - 2) / kEntryBytes;
}

bool ExifBlock::Whole() const {
  if (main_ == 0 || !HoldsDirectory(main_)) return false;
  const std::optional<Entry> own = InMain(kExifDirectory);
  return !own || (IsPlace(own->type) && HoldsDirectory(U32(own->at + 8)));
}

int ExifOrientation(const uint8_t* tiff, size_t bytes) {
  const ExifBlock block({tiff, bytes});
  // SHORT by the standard; some writers use LONG.
  const uint32_t value = block.Number(block.InMain(kOrientation)).value_or(1);
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

namespace {

void SetLong(std::span<uint8_t> tiff, const std::optional<ExifBlock::Entry>& entry, bool big_endian,
             uint32_t number) {
  if (!entry || entry->count != 1 || (entry->type != kShort && entry->type != kLong)) return;
  // As a LONG, which either reader takes and which holds every size.
  const size_t name = tiff.size() - WithoutName(tiff).size();
  uint8_t* at = tiff.data() + name + entry->at;
  const uint32_t fields[] = {kLong, 1, number};
  constexpr size_t kBytes[] = {2, 4, 4};
  at += 2;
  for (size_t i = 0; i < 3; at += kBytes[i++]) {
    for (size_t b = 0; b < kBytes[i]; ++b)
      at[b] = static_cast<uint8_t>(fields[i] >> 8 * (big_endian ? kBytes[i] - 1 - b : b));
  }
}

}  // namespace

void SetExifSize(std::span<uint8_t> tiff, uint32_t width, uint32_t height) {
  const ExifBlock block(tiff);
  SetLong(tiff, block.InExif(kWidth), block.big_endian(), width);
  SetLong(tiff, block.InExif(kHeight), block.big_endian(), height);
}

void SetExifMainSize(std::span<uint8_t> tiff, uint32_t width, uint32_t height) {
  const ExifBlock block(tiff);
  SetLong(tiff, block.InMain(kMainWidth), block.big_endian(), width);
  SetLong(tiff, block.InMain(kMainHeight), block.big_endian(), height);
}

}  // namespace imgmill
