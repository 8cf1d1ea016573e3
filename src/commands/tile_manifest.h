// The list of all tiles of a run, beside them: which picture each was cut from, and where.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

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
class TileManifest {
 public:
  /// @param path  of the finished manifest. kConflict if something else has that name, unless `overwrite`.
  static Result<std::unique_ptr<TileManifest>> Open(const std::string& path, bool overwrite);
  /// Removes what was not finished.
  ~TileManifest();
  TileManifest(const TileManifest&) = delete;
  TileManifest& operator=(const TileManifest&) = delete;

  /// A failure is told by Finish.
  void Add(const TileRecord& record);
  /// Puts it in its place.
  Status Finish();

 private:
  TileManifest(std::string path, std::string temporary, int descriptor);
  void Drain();

  std::string path_;
  std::string temporary_;
  int descriptor_;
  std::string pending_;
  Status status_;
};

}  // namespace imgmill
