// Entries are copied as they are stored, in the file's own order of bytes (TIFF 6.0, section 2; EXIF 2.32,
// 4.6); only the places of values outside of them change.
#include "tiff_exif.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tiff_directory.h"

namespace imgmill {
namespace {

constexpr uint64_t kExifDirectory = 34665;
constexpr uint64_t kGpsDirectory = 34853;
constexpr uint64_t kInteroperability = 40965;  // a directory of its own, which says nothing of the photograph
constexpr uint64_t kOffset = 4;                // a type: 32 bits
constexpr size_t kMostBytes = 65000;           // of a JPEG's marker, with room for what a writer adds

/// ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, Rating, Copyright, and Windows'
/// title, comment, author, keywords and subject.
constexpr std::array<uint64_t, 14> kOfPhotograph = {270,   271,   272,   305,   306,   315,   316,
                                                    18246, 33432, 40091, 40092, 40093, 40094, 40095};

/// Bytes of a value, by its type; 0 for types that EXIF does not have.
size_t ValueBytes(uint64_t type) {
  constexpr std::array<size_t, 13> kBytes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
  return type < kBytes.size() ? kBytes[type] : 0;
}

struct Value {
  uint64_t tag = 0;
  uint64_t type = 0;
  uint64_t count = 0;
  std::vector<uint8_t> bytes;
};

/// An entry with its value, wherever that lies; no bytes where it cannot be had.
Value ReadValue(const InputFile& file, const TiffDirectory& directory, const TiffEntry& entry) {
  Value value{entry.tag, entry.type, entry.count, {}};
  const size_t each = ValueBytes(entry.type);
  if (each == 0 || entry.count == 0 || entry.count > kMostBytes / each) return value;
  value.bytes.resize(static_cast<size_t>(entry.count) * each);
  if (value.bytes.size() <= directory.field_bytes()) {
    std::memcpy(value.bytes.data(), entry.field, value.bytes.size());
  } else if (!file.ReadExactly(directory.Number(entry.field, directory.field_bytes()), value.bytes.data(),
                               value.bytes.size())) {
    value.bytes.clear();
  }
  return value;
}

/// Writes directories one behind the other.
class Block {
 public:
  explicit Block(bool big_endian) : big_endian_(big_endian) {
    bytes_ = {'E', 'x', 'i', 'f', 0, 0, big_endian ? uint8_t{'M'} : uint8_t{'I'}};
    bytes_.push_back(bytes_.back());
    Put(42, 2);
    Put(0, 4);
  }

  /// @return its place, from the structure's beginning on
  uint64_t Add(std::vector<Value> values) {
    std::stable_sort(values.begin(), values.end(),
                     [](const Value& a, const Value& b) { return a.tag < b.tag; });
    const uint64_t at = bytes_.size() - kPrefix;
    uint64_t outside = at + 2 + 12 * values.size() + 4;
    std::vector<uint8_t> more;
    Put(values.size(), 2);
    for (Value& value : values) {
      Put(value.tag, 2);
      Put(value.type, 2);
      Put(value.count, 4);
      if (value.bytes.size() <= 4) {
        value.bytes.resize(4);
        bytes_.insert(bytes_.end(), value.bytes.begin(), value.bytes.end());
        continue;
      }
      Put(outside + more.size(), 4);
      more.insert(more.end(), value.bytes.begin(), value.bytes.end());
      if (more.size() % 2 != 0) more.push_back(0);
    }
    Put(0, 4);  // no directory follows
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return at;
  }
  /// The value of an entry that points to a directory.
  Value Pointer(uint64_t tag, uint64_t at) const {
    Value value{tag, kOffset, 1, std::vector<uint8_t>(4)};
    for (size_t i = 0; i < 4; ++i) value.bytes[big_endian_ ? 3 - i : i] = static_cast<uint8_t>(at >> (8 * i));
    return value;
  }
  /// The block, whose first directory is the one at `first`.
  std::vector<uint8_t> Take(uint64_t first) {
    const Value place = Pointer(0, first);
    std::copy(place.bytes.begin(), place.bytes.end(), bytes_.begin() + kPrefix + 4);
    return std::move(bytes_);
  }

 private:
  static constexpr size_t kPrefix = 6;
  void Put(uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i)
      bytes_.push_back(static_cast<uint8_t>(value >> (8 * (big_endian_ ? bytes - 1 - i : i))));
  }
  bool big_endian_;
  std::vector<uint8_t> bytes_;
};

/// The values of a directory that `wanted` takes, as long as there is `room` for them.
template <typename Wanted>
std::vector<Value> Gather(const InputFile& file, const TiffDirectory& directory, uint64_t& room,
                          Wanted&& wanted) {
  std::vector<Value> values;
  for (const TiffEntry& entry : directory.entries) {
    if (!wanted(entry.tag)) continue;
    Value value = ReadValue(file, directory, entry);
    const uint64_t takes = value.bytes.size() + 13;
    if (value.bytes.empty() || takes > room) continue;
    room -= takes;
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

std::vector<uint8_t> ExifOfTiff(const InputFile& file) {
  const std::optional<TiffDirectory> first = ReadTiffDirectory(file);
  if (!first) return {};
  Block block(first->big_endian);
  uint64_t room = kMostBytes;
  std::vector<Value> pointers;
  for (const uint64_t tag : {kGpsDirectory, kExifDirectory}) {
    const uint64_t at = first->Value(tag).value_or(0);
    const std::optional<TiffDirectory> directory = at != 0 ? ReadTiffDirectory(file, at) : std::nullopt;
    if (!directory) continue;
    std::vector<Value> values =
        Gather(file, *directory, room, [](uint64_t of) { return of != kInteroperability; });
    if (!values.empty()) pointers.push_back(block.Pointer(tag, block.Add(std::move(values))));
  }
  // Last, since a description may be a document that takes all the room.
  std::vector<Value> values = Gather(file, *first, room, [](uint64_t of) {
    return std::find(kOfPhotograph.begin(), kOfPhotograph.end(), of) != kOfPhotograph.end();
  });
  values.insert(values.end(), pointers.begin(), pointers.end());
  return values.empty() ? std::vector<uint8_t>() : block.Take(block.Add(std::move(values)));
}

}  // namespace imgmill
