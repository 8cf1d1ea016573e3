// Encodes an image's tiles and writes their files: on the image's own thread, and on those that have nothing
// else to do.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "image/work_crew.h"
#include "imgmill/engine/output_set.h"
#include "tile_side.h"

namespace imgmill {

/// Files are the same however many threads there are, and so are errors, but of a tile that is taken back
/// before it was written. Without helpers a tile is written where it is added; with some it may be written
/// later, from rows that its band still holds.
class TileWriter final : private WorkCrew::Member {
 public:
  /// @param sides    of each tile, in the order of its files; both outlive the writer
  /// @param helpers  other threads that may work at once: memory for their tools is leased
  TileWriter(OutputSet& set, std::vector<TileSide*> sides, int helpers);
  ~TileWriter();
  TileWriter(const TileWriter&) = delete;
  TileWriter& operator=(const TileWriter&) = delete;

  /// A tile, of which all rows were seen. In rows from the top, since those let go.
  Status Add(const TilePlace& place);
  /// Takes it back, written or not.
  void Remove(const TilePlace& place);
  /// Before `rows` of a side will have been seen: writes the tiles that need any of those which then go.
  Status MakeRoom(const TileSide& side, int64_t rows);
  /// Writes all. The error is that of the first tile that could not be written.
  Status Finish();

 private:
  using Tools = std::vector<TileTools>;  ///< of one thread, for each side
  struct File {
    std::string name;
    std::string temporary;
    int64_t size = 0;
    ContentDigest digest;
  };
  enum class State { kWaits, kInWork, kDone };
  struct Tile {
    TilePlace place;
    std::vector<File> files;
    State state = State::kWaits;
    std::optional<Error> error;
    std::exception_ptr thrown;
  };

  void Help() override;
  bool wants_only_idle() const override { return true; }
  Status Begin(Tile& tile);
  void CallForHelp();
  /// Both make what can be made, and leave errors in the tile.
  void WriteOwn(std::unique_lock<std::mutex>& lock, Tile& tile);
  void WriteHelping(std::unique_lock<std::mutex>& lock, Tile& tile, Tools& tools);
  Tile* FirstWaiting();
  std::optional<Tools> TakeTools(std::unique_lock<std::mutex>& lock);
  std::optional<Tools> MakeTools() const;
  /// Into the set, in order.
  Status TakeWritten();
  Status WriteAbove(int64_t y);

  OutputSet& set_;
  const std::vector<TileSide*> sides_;
  const int helpers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Tile> tiles_;  ///< that are not in the set yet, in order; elsewhere they stay where they are
  std::vector<Tools> free_tools_;
  int more_tools_;         ///< that may be made
  int calls_ = 0;          ///< that nobody has answered
  bool no_more_ = false;   ///< a tile has failed, or the writer ends: nobody begins another
  bool only_own_ = false;  ///< a helper has met a shortage of memory
};

}  // namespace imgmill
