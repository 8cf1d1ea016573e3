// The second look of `dedup --method lpips`: how different images that are near by hash look to a network.
#pragma once

#include <optional>
#include <vector>

#include "dedup_operation.h"
#include "embed_operation.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Runs over the candidates after the map phase, and then measures pairs of them.
class LpipsLook {
 public:
  /// @param opened  a comparer's
  LpipsLook(OpenedEmbedding opened, const CommandServices& services);

  /// A run of the engine: a vector for each of these rows of `entries`, recalled or computed. The image's
  /// content must still be that of the entry. Failures go to `result`'s action failures, since the images
  /// themselves were counted.
  Status LookAt(const DedupTable& entries, const std::vector<uint32_t>& rows, CommandResult& result);

  /// LPIPS of two of those rows; nothing where an image could not be looked at.
  Result<std::optional<double>> Distance(uint32_t a, uint32_t b);

  /// Bytes from the pool, once there are vectors.
  size_t held() const { return 2 * vector_floats() * sizeof(float); }

  void Describe(JsonObject& details) const { opened_.embedder->Describe(details); }

 private:
  class Looking;
  struct Place {
    uint32_t row = 0;
    VectorFile::Place place;
  };

  size_t vector_floats() const {
    return opened_.store.file ? static_cast<size_t>(opened_.store.file->dimension()) : 0;
  }
  const Place* Find(uint32_t row) const;

  OpenedEmbedding opened_;
  const CommandServices& services_;
  std::vector<Place> places_;  ///< by row
  PoolArray<float> first_, second_;
  std::optional<uint32_t> in_first_;
};

}  // namespace imgmill
