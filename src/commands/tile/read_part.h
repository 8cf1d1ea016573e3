// Which part of an image, or of a pair, could be read: tiles of a file that was cut short must say so, and
// those in which there is nothing of its image are none.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/image/reader.h"
#include "tile_names.h"

namespace imgmill {

class ReadPart {
 public:
  /// Takes what the notes of an image's reader say of the rows that could be read. Of partners, too: what
  /// could be read of all is what counts.
  /// @param scale  how many times as large as this one the image is in whose pixels places are
  void Add(const std::vector<std::string>& notes, const ImageHeader& header, int scale);

  /// Whether nothing is missing, as far as the notes tell.
  bool whole() const { return note_.empty(); }
  /// "208 of 320 rows could be read; the rest is grey: ..."; empty where nothing is missing.
  const std::string& note() const { return note_; }
  void set_note(std::string note) { note_ = std::move(note); }

  /// Whether no pixel of a tile could be read.
  bool HasNoneOf(const TilePlace& place, int64_t size) const;
  /// Whether all of them could; of a file of which it is not known what is missing, never.
  bool HasAllOf(const TilePlace& place, int64_t size) const;

  std::string Pack() const;
  static std::optional<ReadPart> Unpack(std::string_view packed);

 private:
  static constexpr int64_t kFar = std::numeric_limits<int64_t>::max();

  std::string note_;
  int64_t left_ = 0, top_ = 0, right_ = kFar, bottom_ = kFar;
  bool everywhere_ = false;  ///< pixels may be missing
};

}  // namespace imgmill
