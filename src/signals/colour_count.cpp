// A hash table that is at most half full.
#include "signals/colour_count.h"

namespace imgmill {

ColourCount::ColourCount(int bands) : bands_(bands), seen_(kSlots) {
  seen_.Fill(0);
}

void ColourCount::Note(uint32_t colour) {
  size_t slot = (colour * 2654435761U) >> 21;  // 11 bits: kSlots
  while (seen_[slot] != 0) {
    if (seen_[slot] == colour + 1) return;
    slot = (slot + 1) % kSlots;
  }
  seen_[slot] = colour + 1;
  ++found_;
}

void ColourCount::Add(const uint8_t* row, size_t width) {
  static_assert(kSlots == size_t{1} << 11);
  uint32_t last = ~0U;
  for (size_t x = 0; x < width && found_ < kMost; ++x) {
    uint32_t colour = row[0];
    if (bands_ == 3) colour = colour << 16 | static_cast<uint32_t>(row[1] << 8) | row[2];
    row += bands_;
    if (colour == last) continue;  // areas of one colour
    Note(colour);
    last = colour;
  }
}

}  // namespace imgmill
