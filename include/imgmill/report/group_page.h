// The page of groups of images that look alike, to be looked at, decided on, and exported.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "imgmill/base/text_sink.h"
#include "imgmill/report/page_failures.h"

namespace imgmill {

/// One image of a group.
struct GroupImage {
  std::string path;               ///< in printable text
  std::string link;               ///< to the file, from the page; empty for a text, or where it is gone
  std::string was;                ///< its path before it was moved; empty where it was not
  bool done = false;              ///< what GroupPageHead::acted says was done to it
  bool gone = false;              ///< there is no file any more
  int64_t width = 0, height = 0;  ///< 0 where they are not known
  int64_t bytes = 0;
  /// How it compares with the first of its group, in words, and as a number by which groups can be sorted: 0
  /// is the same.
  std::string how;
  double far = 0;
  /// The box of the first image that it shows, in parts of its width and height, where that is known: left,
  /// top, right, bottom.
  std::optional<std::array<float, 4>> box;
  int pose = 0;  ///< in which it has to be brought to lie there (PixelOfPose)
  /// What is exported of it: fields that say which file was shown.
  nlohmann::ordered_json identity;
  bool fixed = false;  ///< stays, whatever is decided
  bool is_link = false;
  /// Paths, in printable text, of symbolic links by way of it, images of other groups or of none among them:
  /// it goes only if they go.
  std::vector<std::string> linked_by;
  uint64_t names = 1;  ///< of the file: its bytes are free only once all are gone
};

struct GroupPageHead {
  std::string title;  ///< "imgmill dedup"
  /// Whether there is something to decide: the first image of each group is kept, the others go.
  bool decides = false;
  /// Something was decided and done before the page was written, so that there is nothing to decide: what, as
  /// "moved"; empty for nothing.
  std::string acted;
  /// Relative paths are relative to it; exported, so that what is decided can be carried out elsewhere.
  std::string folder;
  PageFailures failed;
};

/// Writes the page as a stream: UTF-8, one document with style and script, no reference to anything but the
/// images' own files. The script draws what is in view only, so that a page of 10,000 groups opens at once.
///
/// Begin, then for each group BeginGroup, its images, EndImages, its pictures in the same order, EndGroup;
/// then End.
class GroupPageWriter {
 public:
  GroupPageWriter(GroupPageHead head, const TextSink& put) : head_(std::move(head)), put_(put) {}

  Status Begin();
  /// @param why  the group is one, or its first image is first: "kept by resolution"
  /// @param refused  it is a pair to be looked at only: there is nothing to decide, and none of it goes
  Status BeginGroup(const std::string& why, bool refused = false);
  Status Image(const GroupImage& image);
  Status EndImages();
  /// @param jpeg  the bytes of a file; empty for none
  /// @param key  equal for equal pictures only: what the page has shown before is not stored again
  Status Picture(const std::string& key, const std::string& jpeg);
  Status EndGroup();
  /// @param id  of what the page shows: decisions that a browser remembers are those of this id
  Status End(const std::string& id);

 private:
  struct Place {
    uint64_t group = 0, image = 0;
  };
  static constexpr size_t kMostShown = size_t{1} << 16;  ///< that are remembered, some 10 MB

  const GroupPageHead head_;
  const TextSink& put_;
  Place next_;                                    ///< the picture's that comes next
  std::unordered_map<std::string, Place> shown_;  ///< by key
};

}  // namespace imgmill
