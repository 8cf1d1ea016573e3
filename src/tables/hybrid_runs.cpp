// The head of a run.
#include "tables/hybrid_runs.h"

namespace imgmill {

bool HybridRuns::BeginRun() {
  uint64_t header = 0;
  size_t used = 0;
  for (int shift = 0;; shift += 7) {
    if (used >= bytes_.size() || shift > 35) return false;
    header |= static_cast<uint64_t>(bytes_[used] & 0x7F) << shift;
    if ((bytes_[used++] & 0x80) == 0) break;
  }
  bytes_ = bytes_.subspan(used);
  const auto width = static_cast<uint64_t>(width_);
  if ((header & 1) != 0) {
    const uint64_t groups = header >> 1;
    if (groups * width > bytes_.size()) return false;
    packed_ = groups * 8;
    bit_ = 0;
    return true;
  }
  const size_t value_bytes = (width + 7) / 8;
  if (value_bytes > bytes_.size()) return false;
  repeats_ = header >> 1;
  repeated_ = 0;
  for (size_t i = 0; i < value_bytes; ++i) repeated_ |= static_cast<uint32_t>(bytes_[i]) << (8 * i);
  bytes_ = bytes_.subspan(value_bytes);
  return true;
}

}  // namespace imgmill
