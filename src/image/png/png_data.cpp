#include "png_data.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "image/stored_number.h"

namespace imgmill {

bool PngData::NextChunk() {
  std::array<uint8_t, 4096> skipped;
  while (!broken_ && left_ > 0) ReadHere(skipped.data(), skipped.size());
  if (broken_ || (open_ && !CheckSum())) return false;
  if (!file_.ReadExactly(at_, head_, sizeof head_)) {
    broken_ = true;
    return false;
  }
  at_ += sizeof head_;
  bytes_ = left_ = static_cast<uint32_t>(BigEndian(head_, 4));
  sum_ = libdeflate_crc32(0, head_ + 4, 4);
  open_ = true;
  return true;
}

bool PngData::CheckSum() {
  uint8_t stored[4];
  open_ = false;
  broken_ |= !file_.ReadExactly(at_, stored, sizeof stored) || BigEndian(stored, 4) != sum_;
  at_ += sizeof stored;
  return !broken_;
}

size_t PngData::ReadHere(uint8_t* to, size_t most) {
  const size_t now = std::min<size_t>(most, left_);
  if (!file_.ReadExactly(at_, to, now)) {
    broken_ = true;
    return 0;
  }
  sum_ = libdeflate_crc32(sum_, to, now);
  at_ += now;
  left_ -= static_cast<uint32_t>(now);
  return now;
}

size_t PngData::Read(uint8_t* to, size_t most) {
  uint8_t mine[4];
  std::memcpy(mine, head_ + 4, sizeof mine);
  while (left_ == 0 && !broken_) {
    if (!NextChunk() || std::memcmp(mine, head_ + 4, sizeof mine) != 0) return 0;
  }
  return broken_ ? 0 : ReadHere(to, most);
}

}  // namespace imgmill
