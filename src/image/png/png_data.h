// The chunks of a PNG file one after another, and the compressed pixels in them.
#pragma once

#include <cstdint>
#include <string_view>

#include "image/open_file.h"

namespace imgmill {

/// Every checksum is looked at. What is wrong makes it broken for good.
class PngData {
 public:
  explicit PngData(const InputFile& file) : file_(file) {}

  /// Goes on to the next chunk, past what is left of this one. False at the end of the file, or broken.
  bool NextChunk();
  std::string_view name() const { return {reinterpret_cast<const char*>(head_) + 4, 4}; }
  uint32_t bytes() const { return bytes_; }
  bool broken() const { return broken_; }

  /// Up to `most` bytes of this chunk and of those of the same name that follow it at once. 0 at their end,
  /// where the next chunk is reached, or broken.
  size_t Read(uint8_t* to, size_t most);

 private:
  size_t ReadHere(uint8_t* to, size_t most);
  bool CheckSum();

  const InputFile& file_;
  uint8_t head_[8] = {};
  uint64_t at_ = 8;  ///< in the file, behind the signature
  uint32_t bytes_ = 0, left_ = 0;
  uint32_t sum_ = 0;
  bool open_ = false;  ///< a chunk is, and its checksum was not looked at yet
  bool broken_ = false;
};

}  // namespace imgmill
