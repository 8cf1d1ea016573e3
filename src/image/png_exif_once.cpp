// Goes from chunk to chunk by their lengths (PNG 1.2, section 3.2).
#include "png_exif_once.h"

#include <algorithm>
#include <cstring>

#include "stored_number.h"

namespace imgmill {

void PngExifOnce::Pass(std::span<const uint8_t> bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      bytes = bytes.subspan(TakeHead(bytes, sink));
      continue;
    }
    const auto now = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
    if (!leave_out_) sink(bytes.first(now));
    bytes = bytes.subspan(now);
    left_ -= now;
  }
}

size_t PngExifOnce::TakeHead(std::span<const uint8_t> bytes, const Sink& sink) {
  const size_t now = std::min(kHead - head_bytes_, bytes.size());
  std::copy_n(bytes.begin(), now, head_.begin() + static_cast<std::ptrdiff_t>(head_bytes_));
  head_bytes_ += now;
  if (head_bytes_ == kHead) Begin(sink);
  return now;
}

void PngExifOnce::Begin(const Sink& sink) {
  constexpr uint64_t kChecksum = 4;
  const bool exif = std::memcmp(&head_[4], "eXIf", 4) == 0;
  leave_out_ = exif && seen_;
  seen_ = seen_ || exif;
  left_ = BigEndian(head_.data(), 4) + kChecksum;
  head_bytes_ = 0;
  if (!leave_out_) sink(head_);
}

}  // namespace imgmill
