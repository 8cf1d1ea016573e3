// Walks over chunks, boxes and directories by their lengths, with a bound on the steps; what does not add up
// ends the count.
#include "image_count.h"

#include <algorithm>
#include <cstring>

#include "file_box.h"
#include "image/tiff/tiff_directory.h"
#include "image/tiff/tiff_pages.h"
#include "stored_number.h"

namespace imgmill {
namespace {

constexpr int kMostSteps = 4096;

int Clamped(uint64_t count) {
  return static_cast<int>(std::min<uint64_t>(count, 1000000000));
}

/// The next box named `name` from `box.at` on inside `box`; `box.at` moves behind it. False: none.
bool NextBox(const InputFile& file, FileBox& box, const char* name, FileBox& found) {
  for (int step = 0; step < kMostSteps && box.at < box.end; ++step) {
    const std::optional<FileBox> next = ReadFileBox(file, box.at, box.end);
    if (!next || next->end > box.end) return false;
    found = *next;
    box.at = next->end;
    if (next->Is(name)) return true;
  }
  return false;
}

}  // namespace

int PngImages(const InputFile& file) {
  uint64_t frames = 0;
  bool first_is_frame = false;
  int64_t at = 8;
  for (int step = 0; step < kMostSteps; ++step) {
    uint8_t head[12] = {};
    if (!file.ReadExactly(static_cast<uint64_t>(at), head, sizeof head)) break;
    if (std::memcmp(head + 4, "IDAT", 4) == 0) break;
    if (std::memcmp(head + 4, "acTL", 4) == 0) frames = BigEndian(head + 8, 4);
    if (std::memcmp(head + 4, "fcTL", 4) == 0) first_is_frame = true;
    at += 12 + static_cast<int64_t>(BigEndian(head, 4));
  }
  if (frames == 0) return 1;
  return Clamped(frames + (first_is_frame ? 0 : 1));
}

int HeifFrames(const InputFile& file) {
  FileBox whole{{}, 0, static_cast<uint64_t>(file.bytes())};
  FileBox movie;
  if (!NextBox(file, whole, "moov", movie)) return 0;
  FileBox track;
  for (int step = 0; step < kMostSteps && NextBox(file, movie, "trak", track); ++step) {
    FileBox media;
    FileBox handler;
    FileBox information;
    FileBox table;
    FileBox sizes;
    uint8_t kind[12] = {};
    uint8_t count[12] = {};
    if (!NextBox(file, track, "mdia", media)) continue;
    FileBox again = media;
    if (!NextBox(file, again, "hdlr", handler) || !file.ReadExactly(handler.at, kind, sizeof kind)) continue;
    const bool images = std::memcmp(kind + 8, "pict", 4) == 0 || std::memcmp(kind + 8, "vide", 4) == 0;
    if (!images || !NextBox(file, media, "minf", information) || !NextBox(file, information, "stbl", table) ||
        !NextBox(file, table, "stsz", sizes) || !file.ReadExactly(sizes.at, count, sizeof count)) {
      continue;
    }
    return Clamped(BigEndian(count + 8, 4));
  }
  return 0;
}

int TiffPages(const InputFile& file) {
  TiffPageWalk walk(file);
  int pages = 0;
  for (Result<std::optional<uint64_t>> page = walk.Next(); page && *page; page = walk.Next()) ++pages;
  const std::optional<TiffDirectory> first = ReadTiffDirectory(file);
  if (first && !IsTiffPage(*first)) --pages;
  return std::max(1, pages);
}

int JpegImages(std::span<const uint8_t> marker) {
  constexpr size_t kName = 4;
  if (marker.size() < kName + 10 || std::memcmp(marker.data(), "MPF\0", kName) != 0) return 1;
  const std::span<const uint8_t> tiff = marker.subspan(kName);
  const bool big = tiff[0] == 'M';
  const uint64_t directory = StoredNumber(&tiff[4], 4, big);
  if (directory > tiff.size() - 2) return 1;
  const uint64_t entries = StoredNumber(&tiff[directory], 2, big);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t at = directory + 2 + 12 * i;
    if (at + 12 > tiff.size()) return 1;
    constexpr uint64_t kList = 0xB002;
    constexpr size_t kEntry = 16;
    if (StoredNumber(&tiff[at], 2, big) != kList) continue;
    const uint64_t bytes = StoredNumber(&tiff[at + 4], 4, big);
    const uint64_t list = StoredNumber(&tiff[at + 8], 4, big);
    if (bytes > tiff.size() || list > tiff.size() - bytes) return 1;
    int images = 0;
    for (uint64_t image = 0; image + kEntry <= bytes; image += kEntry) {
      const uint64_t kind = StoredNumber(&tiff[list + image], 4, big) & 0xFFFFFF;
      if (kind >> 16 != 1) ++images;  // 1: a large thumbnail
    }
    return std::max(1, images);
  }
  return 1;
}

}  // namespace imgmill
