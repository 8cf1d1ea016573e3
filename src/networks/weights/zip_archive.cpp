// The parts of the ZIP format (PKWARE APPNOTE 6.3) that checkpoints use.
#include "networks/weights/zip_archive.h"

#include <algorithm>
#include <array>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr uint32_t kLocator64Signature = 0x07064b50, kEnd64Signature = 0x06064b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kLocator64Bytes = 20, kEnd64Bytes = 56;
constexpr size_t kMostComment = 65535;

uint64_t Little(const uint8_t* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8 | at[i];
  return value;
}

uint16_t Little16(const uint8_t* at) {
  return static_cast<uint16_t>(Little(at, 2));
}
uint32_t Little32(const uint8_t* at) {
  return static_cast<uint32_t>(Little(at, 4));
}

struct Directory {
  uint64_t offset = 0, bytes = 0;
};

/// Finds the end record behind at most 64 KiB of comment.
Result<Directory> FindDirectory(const WeightFile& file) {
  const size_t tail_bytes = static_cast<size_t>(std::min<uint64_t>(file.size(), kEndBytes + kMostComment));
  if (tail_bytes < kEndBytes) return WeightError("the ZIP archive ends early");
  Buffer tail(tail_bytes);
  const uint64_t tail_offset = file.size() - tail_bytes;
  TRY(file.ReadAt(tail_offset, tail.data(), tail_bytes));
  for (size_t at = tail_bytes - kEndBytes + 1; at-- > 0;) {
    const uint8_t* end = tail.data() + at;
    if (Little32(end) != kEndSignature || Little16(end + 20) != tail_bytes - at - kEndBytes) continue;
    Directory directory{Little32(end + 16), Little32(end + 12)};
    if (directory.offset == 0xFFFFFFFF || directory.bytes == 0xFFFFFFFF || Little16(end + 10) == 0xFFFF) {
      const uint64_t end_offset = tail_offset + at;
      uint8_t locator[kLocator64Bytes], end64[kEnd64Bytes];
      if (end_offset < kLocator64Bytes) return WeightError("the ZIP archive lacks its ZIP64 locator");
      Status read = file.ReadAt(end_offset - kLocator64Bytes, locator, sizeof locator);
      if (!read) return read.error();
      if (Little32(locator) != kLocator64Signature)
        return WeightError("the ZIP archive lacks its ZIP64 locator");
      read = file.ReadAt(Little(locator + 8, 8), end64, sizeof end64);
      if (!read) return read.error();
      if (Little32(end64) != kEnd64Signature)
        return WeightError("the ZIP archive lacks its ZIP64 end record");
      directory = {Little(end64 + 48, 8), Little(end64 + 40, 8)};
    }
    if (directory.offset > file.size() || directory.bytes > file.size() - directory.offset) {
      return WeightError("the ZIP directory lies outside the file");
    }
    return directory;
  }
  return WeightError("the ZIP archive has no directory at its end: it is cut short or no archive at all");
}

/// Sizes beyond 32 bits stand in an extra field of id 1, in this order, each only if its 32-bit field is
/// full.
void TakeZip64(const uint8_t* extra, size_t bytes, ZipEntry& entry, bool full_size, bool full_packed,
               bool full_offset) {
  while (bytes >= 4) {
    const size_t length = Little16(extra + 2);
    if (length > bytes - 4) return;
    if (Little16(extra) == 1) {
      const uint8_t* field = extra + 4;
      size_t left = length;
      const auto take = [&](uint64_t& value) {
        if (left < 8) return;
        value = Little(field, 8);
        field += 8;
        left -= 8;
      };
      uint64_t packed = 0;
      if (full_size) take(entry.bytes);
      if (full_packed) take(packed);
      if (full_offset) take(entry.header_offset);
      return;
    }
    extra += 4 + length;
    bytes -= 4 + length;
  }
}

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320u : value >> 1;
    table[i] = value;
  }
  return table;
}

}  // namespace

Result<bool> BeginsAsZip(const WeightFile& file) {
  char start[kZipStart.size()];
  if (file.size() < sizeof start) return false;
  TRY(file.ReadAt(0, start, sizeof start));
  return std::string_view(start, sizeof start) == kZipStart;
}

Result<ZipDirectory> ReadZipDirectory(const WeightFile& file) {
  Directory found = TRY(FindDirectory(file));
  const size_t bytes = static_cast<size_t>(found.bytes);
  Buffer records(std::max<size_t>(bytes, 1));
  TRY(file.ReadAt(found.offset, records.data(), bytes));

  ZipDirectory directory;
  uint64_t left = file.size();
  for (size_t at = 0; at < bytes;) {
    const uint8_t* record = records.data() + at;
    if (bytes - at < kCentralBytes || Little32(record) != kCentralSignature) {
      return WeightError("the ZIP directory is damaged");
    }
    const size_t name_bytes = Little16(record + 28), extra_bytes = Little16(record + 30);
    const size_t all = kCentralBytes + name_bytes + extra_bytes + Little16(record + 32);
    if (all > bytes - at) return WeightError("the ZIP directory is damaged");
    ZipEntry entry;
    entry.flags = Little16(record + 8);
    entry.method = Little16(record + 10);
    entry.crc32 = Little32(record + 16);
    const uint32_t packed = Little32(record + 20);
    entry.bytes = Little32(record + 24);
    entry.header_offset = Little32(record + 42);
    TakeZip64(record + kCentralBytes + name_bytes, extra_bytes, entry, entry.bytes == 0xFFFFFFFF,
              packed == 0xFFFFFFFF, entry.header_offset == 0xFFFFFFFF);
    std::string name(reinterpret_cast<const char*>(record + kCentralBytes), name_bytes);
    // Many entries of the same bytes would be read, and their tensors made, once for each name.
    if (entry.method == 0) {
      if (entry.bytes > left) {
        return WeightError(
            "the ZIP directory lists more bytes than the file has: cut short, or entries that overlap");
      }
      left -= entry.bytes;
    }
    if (!directory.emplace(name, entry).second) {
      return WeightError("the ZIP directory lists " + PrintablePath(name) + " twice");
    }
    at += all;
  }
  return directory;
}

Result<uint64_t> LocateZipData(const WeightFile& file, const std::string& name, const ZipEntry& entry) {
  if (entry.method != 0 || (entry.flags & 1) != 0) {
    return WeightError("its entry " + PrintablePath(name) +
                       " is compressed or encrypted, which torch.save never does: refused");
  }
  uint8_t header[kLocalBytes];
  TRY(file.ReadAt(entry.header_offset, header, sizeof header));
  const uint64_t offset = entry.header_offset + kLocalBytes + Little16(header + 26) + Little16(header + 28);
  if (Little32(header) != kLocalSignature || offset > file.size() || entry.bytes > file.size() - offset) {
    return WeightError("its entry " + PrintablePath(name) + " is damaged");
  }
  return offset;
}

Status VerifyZipData(const WeightFile& file, const std::string& name, const ZipEntry& entry,
                     uint64_t data_offset) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrcTable();
  uint8_t chunk[16384];
  uint32_t crc = 0xFFFFFFFF;
  for (uint64_t done = 0; done < entry.bytes;) {
    const size_t now = static_cast<size_t>(std::min<uint64_t>(sizeof chunk, entry.bytes - done));
    TRY(file.ReadAt(data_offset + done, chunk, now));
    for (size_t i = 0; i < now; ++i) crc = kTable[(crc ^ chunk[i]) & 0xFF] ^ crc >> 8;
    done += now;
  }
  if (~crc == entry.crc32) return {};
  return WeightError("its entry " + PrintablePath(name) + " is damaged: the checksum differs");
}

}  // namespace imgmill
