// The list of all tiles of a folder, beside them: which image each was cut from, and where.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "earlier_tiles.h"
#include "imgmill/base/result.h"
#include "tile_names.h"

namespace imgmill {

/// One line of the manifest.
struct TileRecord {
  std::string tile;  ///< path below the output folder
  std::string source;
  TilePlace place;
  int64_t size = 0;      ///< pixels each way
  int scale = 1;         ///< of a pair; 1 without
  std::string low_tile;  ///< of a pair, else empty
  std::string low_source;
};

/// JSON Lines, written as it grows, in its place once it is complete: memory does not depend on its length.
/// First what an earlier list says of other sources whose tiles are still there, then the tiles of this run.
class TileManifest {
 public:
  /// @param path  of the finished manifest. kConflict or kMalformed if what has that name is no whole one,
  /// unless `overwrite`, which replaces it.
  static Result<std::unique_ptr<TileManifest>> Open(const std::string& path, bool overwrite);
  /// What Open would refuse, without a trace.
  static Status MayOpen(const std::string& path, bool overwrite);
  /// Removes what was not finished.
  ~TileManifest();
  TileManifest(const TileManifest&) = delete;
  TileManifest& operator=(const TileManifest&) = delete;

  /// A source that the run has worked on: earlier lines of it, or of tiles whose names begin so, go.
  void Replace(std::string_view source, std::string_view prefix);
  /// A failure is told by Finish.
  void Add(const TileRecord& record);
  /// Puts it in its place.
  Result<KeptTiles> Finish();

 private:
  TileManifest(std::string path, std::string temporary, int descriptor);
  void Put(std::string_view line);
  void Drain();
  Result<KeptTiles> PutEarlierFirst();
  Status AppendFile(const std::string& path);

  std::string path_;
  std::optional<EarlierTiles> earlier_;  ///< nothing where there was no list, or it is replaced
  std::string temporary_;
  int descriptor_;
  std::string pending_;
  Status status_;
};

}  // namespace imgmill
