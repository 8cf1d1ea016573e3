// TIFF: strips and tiles that the file is too short for, and compressed ones that end in zeros. Most
// compressions never end their data so (JPEG's ends with a marker, others' with bits of a code or a
// checksum); libtiff's JPEG codec fills up in silence.
#include <algorithm>
#include <iterator>
#include <string>

#include "image/missing_end.h"
#include "tiff_directory.h"
#include "tiff_facts.h"

namespace imgmill {
namespace {

/// Writers that align may add a few.
constexpr uint64_t kZeros = 16;
constexpr uint64_t kOldJpeg = 6;  // whose data may lie outside of them
constexpr uint64_t kJpeg = 7;
constexpr uint64_t kWebp = 50001;

/// LERC's data of a blank strip is zeros, and of others nothing is known.
bool NeverEndsInZeros(uint64_t compression) {
  // CCITT's three, LZW, JPEG, Deflate by its two numbers, PackBits, LZMA, Zstandard.
  constexpr uint64_t kSuch[] = {2, 3, 4, 5, kJpeg, 8, 32946, 32773, 34925, 50000};
  return std::find(std::begin(kSuch), std::end(kSuch), compression) != std::end(kSuch);
}

/// Numbers of a tag, one by one, wherever they lie.
class Numbers {
 public:
  Numbers(const InputFile& file, const TiffDirectory& directory, uint64_t tag)
      : file_(file), directory_(directory) {
    entry_ = directory.Find(tag);
    bytes_ = entry_ != nullptr ? entry_->value_bytes() : 0;
    if (bytes_ == 0) return;
    inside_ = entry_->count <= directory.field_bytes() / bytes_;
    at_ = directory.Number(entry_->field, directory.field_bytes());
    const auto end = static_cast<uint64_t>(file.bytes());
    count_ = inside_ ? entry_->count : at_ <= end ? std::min(entry_->count, (end - at_) / bytes_) : 0;
  }
  /// As many as are in the file: a tag may claim any number.
  uint64_t count() const { return count_; }
  /// Of the `i`-th of count(); 0 where it cannot be read.
  uint64_t Get(uint64_t i) const {
    if (inside_) return directory_.Number(entry_->field + i * bytes_, bytes_);
    unsigned char raw[8] = {};
    return file_.ReadExactly(at_ + i * bytes_, raw, bytes_) ? directory_.Number(raw, bytes_) : 0;
  }

 private:
  const InputFile& file_;
  const TiffDirectory& directory_;
  const TiffEntry* entry_ = nullptr;
  size_t bytes_ = 0;
  bool inside_ = false;
  uint64_t at_ = 0;
  uint64_t count_ = 0;
};

/// Whether JPEG's end marker stands right before `end`.
bool EndsInMarker(const InputFile& file, uint64_t end) {
  unsigned char last[2] = {};
  return end >= 2 && file.ReadExactly(end - 2, last, 2) && last[0] == 0xFF && last[1] == 0xD9;
}

/// The tables that all strips and tiles of JPEG data share, if there are any, lie outside of their directory
/// entry.
bool TablesAreWhole(const InputFile& file, const TiffDirectory& directory) {
  const TiffEntry* tables = directory.Find(kTiffJpegTables);
  if (tables == nullptr) return true;
  const uint64_t at = directory.Number(tables->field, directory.field_bytes());
  const auto end = static_cast<uint64_t>(file.bytes());
  return at <= end && tables->count <= end - at && EndsInMarker(file, at + tables->count);
}

std::optional<Error> FindZeros(const InputFile& file, const TiffFacts& facts) {
  const std::optional<TiffDirectory> directory = ReadTiffDirectory(file);
  if (!directory) return std::nullopt;
  const Numbers offsets(file, *directory, facts.tiled ? kTiffTileOffsets : kTiffStripOffsets);
  const Numbers sizes(file, *directory, facts.tiled ? kTiffTileByteCounts : kTiffStripByteCounts);
  if (facts.compression == kJpeg && !TablesAreWhole(file, *directory))
    return Error{Stage::kDecode, Code::kTruncated,
                 "the TIFF's JPEG tables have no end marker: their end was never written"};
  const auto end = static_cast<uint64_t>(file.bytes());
  for (uint64_t i = 0; i < std::min(offsets.count(), sizes.count()); ++i) {
    const uint64_t at = offsets.Get(i);
    const uint64_t bytes = sizes.Get(i);
    if (at == 0 || bytes < kZeros || at > end || bytes > end - at) continue;  // a gap, or the decoder says so
    if (facts.compression == kWebp) {
      if (std::optional<Error> missing = FindMissingWebpEnd(file, at, bytes)) return missing;
      continue;
    }
    const uint64_t zeros = ZerosAtEnd(file, at, bytes, kZeros);
    const bool unmarked = facts.compression == kJpeg && zeros >= 2 && !EndsInMarker(file, at + bytes - zeros);
    if (zeros < kZeros && !unmarked) continue;
    return Error{Stage::kDecode, Code::kTruncated,
                 std::string("TIFF data of ") + (facts.tiled ? "tile " : "strip ") + std::to_string(i) +
                     " of " + std::to_string(offsets.count()) + " ends in zeros: the end was never written"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> FindTooShortTiff(const TiffFacts& facts, int64_t file_bytes) {
  if (!TiffCannotHold(facts, file_bytes)) return std::nullopt;
  return Error{Stage::kDecode, Code::kTruncated,
               "the file has " + std::to_string(file_bytes) + " bytes, too few for a strip or tile of " +
                   std::to_string(facts.block_width) + " x " + std::to_string(facts.block_rows) +
                   " pixels, which its header says it has"};
}

std::optional<Error> FindMissingTiffEnd(const InputFile& file) {
  const std::optional<TiffFacts> facts = ReadTiffFacts(file);
  if (!facts) return std::nullopt;
  if (std::optional<Error> too_short = FindTooShortTiff(*facts, file.bytes())) return too_short;
  // libtiff then guesses where the others are, or takes the first bytes of the file for them.
  const uint64_t blocks = TiffBlocksNeeded(*facts);
  if (facts->blocks > 0 && facts->blocks < blocks && facts->compression != kOldJpeg) {
    return Error{Stage::kDecode, Code::kTruncated,
                 "the TIFF's directory lists " + std::to_string(facts->blocks) + " of its " +
                     std::to_string(blocks) + (facts->tiled ? " tiles" : " strips")};
  }
  if (facts->compression != kWebp && !NeverEndsInZeros(facts->compression)) return std::nullopt;
  return FindZeros(file, *facts);
}

}  // namespace imgmill
