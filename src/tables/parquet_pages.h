// The pages of one column, one after the other, from all of its chunks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "imgmill/base/result.h"
#include "tables/parquet_footer.h"

namespace imgmill {

/// The head of a page, and where its bytes are.
struct ParquetPage {
  int64_t kind = 0;  ///< kDataPage, ...
  int64_t offset = 0;
  int64_t stored = 0, bytes = 0;  ///< as they are in the file, and decompressed
  int64_t values = 0;
  int64_t encoding = 0;
  int64_t definition_bytes = -1, repetition_bytes = -1;  ///< of kDataPageV2
  int64_t codec = 0;
};

/// Part of a file, read at any place.
class FileBytes {
 public:
  FileBytes(int fd, int64_t size, std::string path) : fd_(fd), size_(size), path_(std::move(path)) {}
  int64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  /// All of `to`.
  Status Read(int64_t offset, std::span<uint8_t> to) const;
  /// "FILE: what", of stage kConfigure.
  Error Wrong(Code code, const std::string& what) const;

 private:
  const int fd_;
  const int64_t size_;
  const std::string path_;
};

class ParquetPages {
 public:
  ParquetPages(const FileBytes& file, const ParquetLeaf& leaf) : file_(file), leaf_(leaf) {}

  /// Nothing at the end. What cannot be read is an error: of an encoding, or of a compression.
  Result<std::optional<ParquetPage>> Next();

 private:
  Result<ParquetPage> ReadHead(int64_t at, int64_t end);
  Status Check(const ParquetPage& page) const;

  const FileBytes& file_;
  const ParquetLeaf& leaf_;
  size_t chunk_ = 0;
  int64_t at_ = -1;   ///< of the next page; before the chunk's first one -1
  int64_t left_ = 0;  ///< values of the chunk
};

}  // namespace imgmill
