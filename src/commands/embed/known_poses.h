// Vectors of poses that runs with other sets of poses have left in a catalog: what one needs is mostly there.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "embedder.h"
#include "imgmill/catalog/vector_file.h"

namespace imgmill {

/// Used by several threads at once.
class KnownPoses {
 public:
  /// Those of this embedder's images in the catalog's folder, but for the ones of its own set of poses.
  /// @param allow_truncated  as the facts of the vectors say it
  static Result<KnownPoses> Open(Catalog& catalog, const Embedder& embedder, bool allow_truncated);

  /// Copies what is known of a content.
  /// @param poses    numbers of poses (PixelOfPose)
  /// @param vectors  as many floats for each of them
  /// @return those of the poses of which nothing is known
  Result<std::vector<int>> Find(const ContentDigest& content, std::span<const int> poses,
                                std::span<float> vectors) const;

 private:
  struct Set {
    std::vector<int> poses;
    std::string fact;  ///< the place of the vectors of all of them, one behind the other
    std::unique_ptr<VectorFile> file;
  };
  Catalog* catalog_ = nullptr;
  std::vector<Set> sets_;
};

}  // namespace imgmill
