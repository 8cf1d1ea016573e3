// The pixels of a PNG: rows in, chunks of deflated bands out, made on as many threads as help.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "band_deflater.h"
#include "image/work_crew.h"
#include "imgmill/image/image.h"
#include "imgmill/memory/footprint.h"

namespace imgmill {

/// Where a file's bytes go, piece after piece; from one thread at a time, not always the same.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// False: it takes no more.
  virtual bool Take(std::span<const uint8_t> bytes) = 0;
};

/// Rows are gathered in bands, whose size follows from the layout and the level alone. Each band is filtered
/// and deflated for itself and becomes one IDAT chunk, so the bytes do not depend on the threads. A few bands
/// are in work at once; whoever brings rows works along when there is no room for more.
class PngPixels final : private WorkCrew::Member {
 public:
  /// @param layout   8 or 16 bits, 1 to 4 bands
  /// @param level    0 to 9
  /// @param threads  that may work on it at once; 1: the caller's alone, and the crew knows nothing of it
  /// @throws OutOfMemory
  PngPixels(const Layout& layout, int level, int threads, ByteSink& sink);
  ~PngPixels();
  PngPixels(const PngPixels&) = delete;
  PngPixels& operator=(const PngPixels&) = delete;

  /// The next row. False: the sink took no more.
  bool Put(const uint8_t* row);
  /// All rows were put: the rest of the chunks.
  bool Finish();

  /// Bytes held, all pooled.
  static size_t HeldBytes(const Layout& layout, int level, int threads);

 private:
  struct Band {
    Buffer bytes;  ///< its rows, below the one above them; later its chunk
    int64_t rows = 0;
    bool first = false, last = false;
    bool done = false;
    size_t filtered_bytes = 0;
    uint32_t checksum = 0;  ///< Adler-32 of the filtered rows
    std::span<const uint8_t> chunk;
  };
  struct Shape {
    Shape(const Layout& layout, int level, int threads);
    size_t row_bytes;
    size_t pixel_bytes;
    size_t stride;  ///< from row to row in a band: with a margin
    int64_t band_rows;
    size_t band_bytes;  ///< that one needs: for its rows, or its chunk
    size_t filtered_bytes;
    size_t bands;    ///< in work at once
    size_t workers;  ///< on them
  };
  struct Tools {
    Tools(const Shape& shape, int level);
    Buffer filtered;
    BandDeflater deflater;
  };

  void Help() override;
  /// -1: the row above the band.
  uint8_t* RowOf(Band& band, int64_t row) const;
  void Begin(Band& band, const uint8_t* above) const;
  bool Submit();
  bool WorkOnOne(std::unique_lock<std::mutex>& lock);
  void Make(Band& band, Tools& tools) const;
  void HandOver(std::unique_lock<std::mutex>& lock);

  const Layout layout_;
  const int level_;
  const Shape shape_;
  const bool with_crew_;
  ByteSink& sink_;
  std::vector<Band> bands_;
  Buffer above_;             ///< the last row of the band before
  int64_t rows_ = 0;         ///< put so far
  Band* filling_ = nullptr;  ///< belongs to the caller's thread

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Tools> tools_;
  std::vector<Tools*> free_tools_;
  std::deque<Band*> waiting_;  ///< full, and nobody works on them
  size_t submitted_ = 0;       ///< bands, in order; each has the place of its number
  size_t handed_over_ = 0;     ///< to the sink
  bool handing_over_ = false;  ///< somebody does
  bool refused_ = false;       ///< by the sink, or the caller has left: the rest is not made
  uint32_t checksum_ = 1;
};

}  // namespace imgmill
