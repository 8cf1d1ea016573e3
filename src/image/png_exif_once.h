// A PNG's bytes on their way to a file, without the EXIF chunk that is written behind the pixels:
// libpng 1.6.39 writes it when the header ends and once more when the image ends, and PNG allows one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

namespace imgmill {

class PngExifOnce {
 public:
  using Sink = std::function<void(std::span<const uint8_t>)>;

  /// Hands `bytes`, the next ones of the file in pieces of any size, on to `sink`, but for those of an eXIf
  /// chunk that is not the first.
  void Pass(std::span<const uint8_t> bytes, const Sink& sink);

 private:
  static constexpr size_t kSignature = 8;
  static constexpr size_t kHead = 8;  // of a chunk: its length and name

  size_t TakeHead(std::span<const uint8_t> bytes, const Sink& sink);
  void Begin(const Sink& sink);

  std::array<uint8_t, kHead> head_{};
  size_t head_bytes_ = 0;       ///< of head_, so far
  uint64_t left_ = kSignature;  ///< bytes until the next chunk begins
  bool leave_out_ = false;      ///< them
  bool seen_ = false;
};

}  // namespace imgmill
