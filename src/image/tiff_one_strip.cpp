// The file as it is, but for the offset in its header, which points to a directory behind its end.
#include "tiff_one_strip.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "tiff_directory.h"

namespace imgmill {
namespace {

constexpr uint64_t kStripBytes = uint64_t{256} << 10;
constexpr uint64_t kSmallestCut = uint64_t{4} << 20;  // a strip below this may stay whole
constexpr uint64_t kLong = 4;
constexpr uint64_t kLong8 = 16;

struct OneStrip {
  TiffDirectory directory;
  uint64_t at = 0;
  uint64_t height = 0;
  uint64_t row_bytes = 0;
  uint64_t cut_rows = 0;
};

/// Bits of a sample, equal for all; 0 if they differ or cannot be read.
uint64_t BitsOf(const TiffDirectory& directory, const InputFile& file, uint64_t samples) {
  const auto found = std::find_if(directory.entries.begin(), directory.entries.end(),
                                  [](const TiffEntry& e) { return e.tag == kTiffBitsPerSample; });
  if (found == directory.entries.end()) return samples == 1 ? 1 : 0;
  if (found->type != 3 || found->count != samples || samples > 8) return 0;
  unsigned char bits[16] = {};
  if (2 * samples <= directory.field_bytes()) {
    std::memcpy(bits, found->field, 2 * samples);
  } else {
    const auto at = static_cast<int64_t>(directory.Number(found->field, directory.field_bytes()));
    if (at < 0 || file.ReadAt(at, bits, 2 * samples) != static_cast<ptrdiff_t>(2 * samples)) return 0;
  }
  const uint64_t first = directory.Number(bits, 2);
  for (uint64_t i = 1; i < samples; ++i) {
    if (directory.Number(bits + 2 * i, 2) != first) return 0;
  }
  return first;
}

std::optional<OneStrip> FindOneStrip(const InputFile& file) {
  unsigned char head[4] = {};
  if (file.ReadAt(0, head, sizeof head) != sizeof head) return std::nullopt;
  const bool tiff = std::memcmp(head, "II*\0", 4) == 0 || std::memcmp(head, "MM\0*", 4) == 0 ||
                    std::memcmp(head, "II+\0", 4) == 0 || std::memcmp(head, "MM\0+", 4) == 0;
  if (!tiff) return std::nullopt;
  std::optional<TiffDirectory> directory = ReadTiffDirectory(file);
  if (!directory) return std::nullopt;
  const uint64_t width = directory->Value(kTiffWidth).value_or(0);
  const uint64_t samples = directory->Value(kTiffSamplesPerPixel).value_or(1);
  OneStrip strip;
  strip.height = directory->Value(kTiffHeight).value_or(0);
  strip.at = directory->Value(kTiffStripOffsets).value_or(0);
  constexpr uint64_t kSide = uint64_t{1} << 31;
  if (width == 0 || width >= kSide || strip.height == 0 || strip.height >= kSide || strip.at == 0)
    return std::nullopt;
  const bool single =
      std::any_of(directory->entries.begin(), directory->entries.end(),
                  [](const TiffEntry& e) { return e.tag == kTiffStripOffsets && e.count == 1; });
  constexpr uint64_t kPlain = 1;
  const bool plain = directory->Value(kTiffCompression).value_or(kPlain) == kPlain &&
                     directory->Value(kTiffPhotometric).value_or(0) != kTiffYCbCr &&
                     (directory->Value(kTiffPlanarConfiguration).value_or(1) == 1 || samples == 1);
  const bool whole = directory->Value(kTiffRowsPerStrip).value_or(strip.height) >= strip.height;
  const uint64_t bits = BitsOf(*directory, file, samples);
  if (!single || !plain || !whole || bits == 0 || bits > 64) return std::nullopt;
  strip.row_bytes = (width * samples * bits + 7) / 8;
  if (strip.row_bytes * strip.height < kSmallestCut) return std::nullopt;
  strip.cut_rows = std::clamp<uint64_t>(kStripBytes / strip.row_bytes, 1, 128);
  strip.directory = *std::move(directory);
  return strip;
}

/// What is shown in place of the file.
class CutFile {
 public:
  CutFile(int descriptor, uint64_t file_bytes, const OneStrip& strip)
      : descriptor_(descriptor), file_bytes_(file_bytes) {
    const TiffDirectory& old = strip.directory;
    big_endian_ = old.big_endian;
    const size_t word = old.field_bytes();
    tail_at_ = (file_bytes + 15) / 16 * 16;
    const uint64_t strips = (strip.height + strip.cut_rows - 1) / strip.cut_rows;
    const uint64_t type = old.big ? kLong8 : kLong;
    for (uint64_t i = 0; i < strips; ++i) Append(strip.at + i * strip.cut_rows * strip.row_bytes, word);
    for (uint64_t i = 0; i < strips; ++i) {
      Append(std::min(strip.cut_rows, strip.height - i * strip.cut_rows) * strip.row_bytes, word);
    }
    std::vector<TiffEntry> entries;
    for (const TiffEntry& entry : old.entries) {
      if (entry.tag != kTiffStripOffsets && entry.tag != kTiffStripByteCounts &&
          entry.tag != kTiffRowsPerStrip)
        entries.push_back(entry);
    }
    const auto add = [&](uint64_t tag, uint64_t count, uint64_t value) {
      TiffEntry entry{tag, type, count, {}};
      Store(value, word, entry.field);
      entries.push_back(entry);
    };
    add(kTiffStripOffsets, strips, tail_at_);
    add(kTiffRowsPerStrip, 1, strip.cut_rows);
    add(kTiffStripByteCounts, strips, tail_at_ + strips * word);
    std::stable_sort(entries.begin(), entries.end(),
                     [](const TiffEntry& a, const TiffEntry& b) { return a.tag < b.tag; });
    while (tail_.size() % 16 != 0) tail_.push_back(0);
    directory_at_ = tail_at_ + tail_.size();
    Append(entries.size(), old.big ? 8 : 2);
    for (const TiffEntry& entry : entries) {
      Append(entry.tag, 2);
      Append(entry.type, 2);
      Append(entry.count, word);
      tail_.insert(tail_.end(), entry.field, entry.field + word);
    }
    Append(old.next, word);
    Store(directory_at_, word, patch_);
    patch_bytes_ = word;
  }
  ~CutFile() { close(descriptor_); }
  CutFile(const CutFile&) = delete;
  CutFile& operator=(const CutFile&) = delete;

  int64_t Read(unsigned char* destination, uint64_t bytes) {
    const uint64_t end = tail_at_ + tail_.size();
    if (at_ >= end) return 0;
    bytes = std::min(bytes, end - at_);
    int64_t got = 0;
    if (at_ < file_bytes_) {
      do {
        got = pread(descriptor_, destination, std::min(bytes, file_bytes_ - at_), static_cast<off_t>(at_));
      } while (got < 0 && errno == EINTR);
      if (got == 0) errno = EIO;  // it was longer when it was opened
      if (got <= 0) return -1;
    } else {
      got = static_cast<int64_t>(bytes);
      for (int64_t i = 0; i < got; ++i) {
        const uint64_t at = at_ + static_cast<uint64_t>(i);
        destination[i] = at < tail_at_ ? 0 : tail_[at - tail_at_];
      }
    }
    // The offset of the first directory lies behind as many bytes as it has itself.
    for (int64_t i = 0; i < got; ++i) {
      const uint64_t at = at_ + static_cast<uint64_t>(i);
      if (at >= 2 * patch_bytes_) break;
      if (at >= patch_bytes_) destination[i] = patch_[at - patch_bytes_];
    }
    at_ += static_cast<uint64_t>(got);
    return got;
  }

  int64_t Seek(int64_t offset, int whence) {
    const auto from = static_cast<int64_t>(whence == SEEK_SET   ? 0
                                           : whence == SEEK_CUR ? at_
                                                                : tail_at_ + tail_.size());
    if (from + offset < 0) return -1;
    at_ = static_cast<uint64_t>(from + offset);
    return from + offset;
  }

 private:
  void Store(uint64_t value, size_t bytes, unsigned char* destination) const {
    for (size_t i = 0; i < bytes; ++i) {
      destination[big_endian_ ? bytes - 1 - i : i] = static_cast<unsigned char>(value >> (8 * i));
    }
  }
  void Append(uint64_t value, size_t bytes) {
    unsigned char stored[8] = {};
    Store(value, bytes, stored);
    tail_.insert(tail_.end(), stored, stored + bytes);
  }

  int descriptor_;
  uint64_t file_bytes_;
  bool big_endian_ = false;
  uint64_t tail_at_ = 0;
  uint64_t directory_at_ = 0;
  std::vector<unsigned char> tail_;
  unsigned char patch_[8] = {};
  size_t patch_bytes_ = 0;
  uint64_t at_ = 0;
};

gint64 OnRead(VipsSourceCustom*, gpointer buffer, gint64 bytes, gpointer file) {
  return static_cast<CutFile*>(file)->Read(static_cast<unsigned char*>(buffer), static_cast<uint64_t>(bytes));
}

gint64 OnSeek(VipsSourceCustom*, gint64 offset, int whence, gpointer file) {
  return static_cast<CutFile*>(file)->Seek(offset, whence);
}

void Forget(gpointer file) {
  delete static_cast<CutFile*>(file);
}

}  // namespace

int64_t OneStripCutRows(const InputFile& file) {
  const std::optional<OneStrip> strip = FindOneStrip(file);
  return strip ? static_cast<int64_t>(strip->cut_rows) : 0;
}

GRef<VipsSource> CutOneStrip(const InputFile& file) {
  const std::optional<OneStrip> strip = FindOneStrip(file);
  if (!strip) return {};
  const int descriptor = fcntl(file.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) return {};
  auto* cut = new CutFile(descriptor, static_cast<uint64_t>(file.bytes()), *strip);
  VipsSourceCustom* source = vips_source_custom_new();
  g_object_set_data_full(G_OBJECT(source), "imgmill-cut-file", cut, &Forget);
  g_signal_connect(source, "read", G_CALLBACK(&OnRead), cut);
  g_signal_connect(source, "seek", G_CALLBACK(&OnSeek), cut);
  return GRef<VipsSource>(VIPS_SOURCE(source));
}

}  // namespace imgmill
