// A chain that leads back is found as R. P. Brent has it ("An improved Monte Carlo factorization algorithm",
// BIT 20, 1980): a mark is set again after twice as many steps each time, and one day lies on the circle.
#include "tiff_pages.h"

#include "tiff_directory.h"

namespace imgmill {

bool IsTiffPage(const TiffDirectory& directory) {
  constexpr uint64_t kReduced = 1;
  constexpr uint64_t kMask = 4;
  constexpr uint64_t kOldReduced = 2;
  const uint64_t kind = directory.Value(kTiffNewSubfileType).value_or(0);
  const uint64_t old_kind = directory.Value(kTiffSubfileType).value_or(0);
  return (kind & (kReduced | kMask)) == 0 && old_kind != kOldReduced;
}

Result<std::optional<uint64_t>> TiffPageWalk::Next() {
  const auto broken = [this](const char* why) {
    over_ = true;
    return Error{Stage::kDecode, Code::kMalformed, why};
  };
  while (!over_) {
    const std::optional<TiffDirectory> directory = ReadTiffDirectory(file_, next_);
    if (!directory) return broken("the TIFF's directory cannot be read");
    if (directory->at == mark_) return broken("the TIFF's directories lead round in a circle");
    if (++steps_ == mark_until_) {
      mark_ = directory->at;
      mark_until_ *= 2;
    }
    next_ = directory->next;
    over_ = next_ == 0;
    if (steps_ == 1 || IsTiffPage(*directory)) return std::optional(directory->at);
  }
  return std::optional<uint64_t>();
}

}  // namespace imgmill
