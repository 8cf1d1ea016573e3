// The second look of `dedup --method lpips`: how different images that are near by hash look to a network.
#pragma once

#include "commands/embed/embed_operation.h"
#include "dedup_second_look.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

class LpipsLook final : public SecondLooker {
 public:
  /// @param opened  a comparer's
  /// @param most  the largest distance of duplicates
  LpipsLook(OpenedEmbedding opened, double most, const CommandServices& services);

  /// A vector for each image, recalled or computed. The image's content must still be that of the entry.
  Status LookAt(Candidates candidates, CommandResult& result) override;
  int Threads(int) const override { return 1; }
  Footprint Held(int) const override { return {2 * vector_floats() * sizeof(float), 0}; }
  void Prepare(int) override;
  Result<LookVerdict> Look(int thread, uint32_t keeper, uint32_t other, int pose) override;
  bool measures_distance() const override { return true; }
  void Describe(JsonObject& details) const override { opened_.embedder->Describe(details); }

 private:
  class Looking;

  size_t vector_floats() const {
    return opened_.store.file ? static_cast<size_t>(opened_.store.file->dimension()) : 0;
  }
  const VectorFile::Place* Find(uint32_t row) const;

  OpenedEmbedding opened_;
  const double most_;
  const CommandServices& services_;
  Candidates candidates_;
  std::vector<std::optional<VectorFile::Place>> places_;  ///< of the candidates
  PoolArray<float> first_, second_;
  std::optional<uint32_t> in_first_;
};

}  // namespace imgmill
