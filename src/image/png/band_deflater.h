// Deflates a piece of a stream without looking at any other, so that pieces can be made on as many threads as
// there are, and joined.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deflate_block.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Made for filtered rows of images, which are mostly numbers around 0: literals are cheap there, and a match
/// is taken only if it is cheaper than its bytes would be. Zlib takes any.
///
/// Level 0 stores. Level 1 looks at one earlier place only, where the same three to six bytes were last, and
/// skips bytes where it has long found none. Levels 2 to 9 follow chains of earlier places, longer ones at
/// each level, and from 3 on see whether a match that begins a byte later is better.
class BandDeflater {
 public:
  /// @param level  0 to 9. @throws OutOfMemory
  explicit BandDeflater(int level);

  /// Deflates `bytes` at `from` to `to`. What is not `final` ends at a whole byte, with an empty block.
  /// @param from  kReadBeyond bytes behind the end can be read, whatever they are
  /// @param to    has room for Bound(bytes)
  /// @return bytes written
  size_t Deflate(const uint8_t* from, size_t bytes, bool final, uint8_t* to);

  static constexpr size_t kReadBeyond = 4;
  static size_t Bound(size_t bytes);
  /// Bytes that a deflater holds.
  static size_t HeldBytes(int level);

 private:
  struct Match {
    size_t length = 0;
    size_t distance = 0;
    int64_t gain = 0;  ///< bits, in 16ths
  };
  class Work;
  struct Effort;

  size_t TakeFast(Work& work, size_t from, size_t end);
  size_t TakeBest(Work& work, size_t from, size_t end);
  Match Find(const Work& work, size_t at, const Effort& effort) const;
  void Insert(const Work& work, size_t at);
  void KnowCosts(const uint8_t* from, size_t bytes);
  void LearnCosts();
  /// By the bits of one, on average.
  bool LiteralsAreDear() const;

  int level_;
  BlockWriter blocks_;
  PoolArray<uint32_t> heads_;  ///< the last place of each hash, less the base of the band
  PoolArray<uint32_t> chains_;
  PoolArray<Sequence> sequences_;
  size_t sequence_count_ = 0;
  // What things cost, in 16ths of a bit: by the block before.
  int64_t literal_cost_ = 0;
  std::array<int64_t, kDistanceSymbols> distance_costs_{};
  std::array<int64_t, kLongestMatch + 1> length_costs_{};
  std::array<uint32_t, kDistanceSymbols>
      worthwhile_{};  ///< lengths from which on a match costs less than literals
};

}  // namespace imgmill
