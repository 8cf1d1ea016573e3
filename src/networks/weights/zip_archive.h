// A ZIP archive of stored entries, as torch.save writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

struct ZipEntry {
  uint64_t header_offset = 0;  ///< of the local header, which stands before the data
  uint64_t bytes = 0;
  uint32_t crc32 = 0;
  uint16_t method = 0;  ///< 0: stored
  uint16_t flags = 0;   ///< bit 0: encrypted
};

using ZipDirectory = std::map<std::string, ZipEntry, std::less<>>;

inline constexpr std::string_view kZipStart = "PK\x03\x04";

/// Whether the file begins as an archive. Errors: those of reading.
Result<bool> BeginsAsZip(const WeightFile& file);

/// The central directory (ZIP64 too). Errors: kModelError.
Result<ZipDirectory> ReadZipDirectory(const WeightFile& file);

/// Where the data of a stored entry starts; within the file, all `bytes` of it. A compressed or encrypted
/// entry is a kModelError: torch.save makes none.
Result<uint64_t> LocateZipData(const WeightFile& file, const std::string& name, const ZipEntry& entry);

/// Reads the data once and compares its checksum.
Status VerifyZipData(const WeightFile& file, const std::string& name, const ZipEntry& entry,
                     uint64_t data_offset);

}  // namespace imgmill
