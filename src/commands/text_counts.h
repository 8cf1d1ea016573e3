// How often each text of EXIF stands in a run's images.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/image/photo_facts.h"

namespace imgmill {

class TextCounts {
 public:
  /// @param texts  of one image, in the order of PhotoText
  void Add(const std::vector<std::string>& texts);

  uint64_t images(PhotoText of) const { return Of(of).images; }
  /// Images that have this very text; 0 where it is not among the first kMostDifferent.
  uint64_t Count(PhotoText of, const std::string& text) const;
  /// The most frequent ones, those of one number in the order of their bytes.
  std::vector<std::pair<std::string, uint64_t>> Most(PhotoText of, size_t number) const;

  /// Beyond, new ones are not counted by themselves: nobody looks at so many, and they are all in memory.
  static constexpr size_t kMostDifferent = 4096;

 private:
  struct One {
    uint64_t images = 0;  ///< that have any
    std::map<std::string, uint64_t> counts;
  };
  const One& Of(PhotoText of) const { return texts_[static_cast<size_t>(of)]; }

  std::array<One, kPhotoTextCount> texts_;
};

}  // namespace imgmill
