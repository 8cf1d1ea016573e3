// The second look that dedup takes by default: small pictures of two images are laid upon each other.
#pragma once

#include "dedup_second_look.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/metrics/picture_matcher.h"
#include "look_limits.h"

namespace imgmill {

struct CandidatePicture;

class PictureLook final : public SecondLooker {
 public:
  PictureLook(const LookLimits& limits, const CommandServices& services);
  ~PictureLook() override;

  /// A small picture of each, as a fact of its content.
  Status LookAt(Candidates candidates, CommandResult& result) override;
  int Threads(int wanted) const override;
  Footprint Held(int threads) const override;
  void Prepare(int threads) override;
  Result<LookVerdict> Look(int thread, uint32_t keeper, uint32_t other, int pose) override;
  bool measures_distance() const override { return false; }
  void Describe(JsonObject& details) const override;

 private:
  class PictureOperation;
  class Looking;
  enum class Laid : uint64_t { kNot, kLaid, kCompared };
  /// As the catalog has it: no bytes between its members.
  struct PairVerdict {
    SecondLook look;
    Laid laid = Laid::kNot;
  };

  PairVerdict Compare(const CandidatePicture& kept, const CandidatePicture& other,
                      PictureMatcher& matcher) const;

  const LookLimits limits_;
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
