// Reads streams of zlib's format (RFC 1950 and 1951) a piece at a time, in memory that does not grow with
// them: libdeflate wants all of a stream at once, and zlib, which does not, is slower (bench/png.sh).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "imgmill/memory/pool.h"
#include "inflate_table.h"

namespace imgmill {

class Inflater {
 public:
  /// Puts up to `most` bytes of the stream at `to`. @return how many; 0 at its end
  using Source = std::function<size_t(uint8_t* to, size_t most)>;

  /// @param largest  piece that will be asked for
  /// @throws OutOfMemory
  Inflater(Source source, size_t largest);

  /// The next `bytes` of what was compressed, which stay until the next call. Null where the stream is broken
  /// or ends before.
  const uint8_t* Next(size_t bytes);

  /// Reads to the end of the stream. @return whether nothing more comes out, and its checksum agrees
  bool Finish();

  /// Bytes of the pool that it holds.
  static size_t HeldBytes(size_t largest);

 private:
  enum class State { kStart, kHeader, kStored, kCodes, kDone, kBroken };

  void Fill();
  void MakeRoom();
  void Step();
  void Start();
  void Header();
  void StoredHeader();
  bool ReadCodes();
  void FixedCodes();
  void Stored();
  void Codes();
  void Checksum();

  /// The bits of the stream, the first ones lowest.
  struct Bits {
    const uint8_t* next = nullptr;  ///< byte of the input
    uint64_t held = 0;
    int count = 0;  ///< of those held

    /// At least 56 are held then. Eight bytes are read.
    void Refill();
    uint32_t Take(int some);
    template <int kRootBits>
    InflateEntry Look(const InflateEntry* table);
    /// Of the first bit that is not taken yet.
    const uint8_t* place() const { return next - (count >> 3); }
    /// Goes on with the next whole byte.
    void Align();
  };
  const uint8_t* InEnd() const { return in_.data() + in_end_; }
  size_t InLeft() const { return static_cast<size_t>(InEnd() - bits_.next); }
  /// Whether bits were taken that the stream does not have.
  bool RanOver() const { return bits_.place() > InEnd(); }

  Source source_;
  Buffer in_, out_;
  size_t in_end_ = 0;
  bool in_ended_ = false;
  size_t out_at_ = 0;   ///< of what was not handed out yet
  size_t out_end_ = 0;  ///< of what is there
  size_t summed_ = 0;   ///< until where the checksum has it
  Bits bits_;
  State state_ = State::kStart;
  bool last_block_ = false;
  size_t stored_left_ = 0;
  uint32_t checksum_ = 1;
  InflateTable literals_, distances_;
};

}  // namespace imgmill
