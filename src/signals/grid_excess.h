// Tells the borders of 8x8 blocks from chance: by how much steps of luma at the places of a grid exceed those
// beside them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Feeds on the sums of the steps between neighbouring columns (or rows), from the first to the last.
class GridExcess {
 public:
  /// The sum of the next place's steps: the first is that between columns 0 and 1, of phase 1.
  void Add(uint64_t steps);

  /// How far the most prominent of the 8 phases stands out, in standard errors of the mean of its places,
  /// less the same of the next one: pictures that were enlarged two or four times have several such phases.
  /// About 1 where there is no grid; without limit where all its places have the same excess and no other has
  /// any. 0 for fewer than 9 places beyond the four at the ends.
  double Prominence() const;

 private:
  __extension__ using Wide = __int128;
  struct Phase {
    int64_t count = 0;
    int64_t sum = 0;  ///< of four times a place's steps, less those of the two places on either side
    Wide squares = 0;
  };
  std::array<Phase, 8> phases_;
  std::array<int64_t, 5> last_ = {};
  int64_t places_ = 0;
};

}  // namespace imgmill
