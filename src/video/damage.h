// Which pictures of a damaged stream can be trusted: from a packet that could not be decoded as it should on,
// those that may have been predicted from it, up to the next one that stands for itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgmill {

/// Packets are numbered in the order in which they are decoded.
class Damage {
 public:
  /// A packet is about to be decoded.
  void Sent(int64_t packet, bool stands_for_itself, int64_t shown);
  /// It was not decoded as it should.
  void Broken(int64_t packet, const std::string& why);

  struct Gap {
    int64_t first = 0;
    int64_t end = -1;       ///< the packet from which on all is well again; -1: none yet
    int64_t end_shown = 0;  ///< pictures behind `end` that are shown before it lean on those in the gap
    bool at_start =
        false;  ///< before the first packet that stands for itself: the file was cut out of a longer one
    std::string why;
  };
  /// The gap that a picture of this packet is in; null: it can be trusted.
  const Gap* Around(int64_t packet, int64_t shown) const;
  /// Whether nothing that stands for itself has come since the last damage.
  bool open() const { return !gaps_.empty() && gaps_.back().end < 0; }

 private:
  std::vector<Gap> gaps_;
  bool begun_ = false;  // a packet that stands for itself was seen
};

}  // namespace imgmill
