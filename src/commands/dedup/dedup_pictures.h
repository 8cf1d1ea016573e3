// The second look that dedup takes by default: small pictures of two images are laid upon each other.
#pragma once

#include "dedup_second_look.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/metrics/picture_matcher.h"

namespace imgmill {

class PictureLook final : public SecondLooker {
 public:
  /// @param most  the largest difference of duplicates
  PictureLook(double most, const CommandServices& services);
  ~PictureLook() override;

  /// A small picture of each, as a fact of its content.
  Status LookAt(Candidates candidates, CommandResult& result) override;
  Footprint Held(int threads) const override;
  void Prepare(int threads) override;
  Result<LookVerdict> Look(int thread, uint32_t keeper, uint32_t other, int pose) override;
  bool measures_distance() const override { return false; }
  void Describe(JsonObject& details) const override;

 private:
  class PictureOperation;
  class Looking;

  const double most_;
  const CommandServices& services_;
  const std::string fact_;
  Candidates candidates_;
  struct OfThread {
    PictureMatcher matcher;
    PoolArray<uint8_t> turned;
  };
  std::vector<OfThread> threads_;
};

}  // namespace imgmill
