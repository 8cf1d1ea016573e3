// Which of two images is the better one to keep, by criteria in an order that the user may choose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dedup_operation.h"

namespace imgmill {

/// By what a keeper is better than its duplicates.
enum class KeepReason {
  kReference,  ///< it lies in --reference
  kFolder,     ///< it lies in a folder that --keep-by names
  kResolution,
  kColour,
  kCompression,
  kBlockiness,
  kSharpness,
  kSize,
  kOldest,
  kPath
};
std::string_view ToString(KeepReason reason);

/// What decides between two images, one number after the other, so that there are no cycles; and what is
/// compared was measured alike: images of equal sides and fidelity are all read at the same fraction of their
/// size.
struct Merit {
  int64_t pixels = 0;
  int64_t bytes = 0;
  int64_t written_ns = 0;
  int32_t short_side = 0;
  uint32_t fidelity = 0;
  uint32_t folders = 0;  ///< DedupEntry's
  int16_t sharpness = 0;
  int16_t blockiness = 0;
  bool shows_colour = false;
  bool is_link = false;  ///< one that outlived what it leads to would keep nothing
  bool in_reference = false;
};
Merit MeritOf(const DedupEntry& entry);

class KeepOrder {
 public:
  /// The criteria that are asked where nobody says otherwise.
  KeepOrder();
  /// @param words  of --keep-by; what they leave open is decided by the usual criteria.
  /// @param wrong  the first word that is none, in words a user can act on
  static std::optional<KeepOrder> Parse(const std::vector<std::string>& words, std::string& wrong);

  /// Whether the first one is better, and the place in the order of what decides: where nothing does, the
  /// first of the listing is.
  bool IsBetter(const Merit& a, const Merit& b, bool a_is_first, size_t& place) const;
  KeepReason reason(size_t place) const { return criteria_[place].reason; }

  bool Asks(KeepReason reason) const;
  /// Of "folder:DIR", as given; DedupEntry::folders has a bit for each.
  const std::vector<std::string>& folders() const { return folders_; }

 private:
  struct Criterion {
    KeepReason reason = KeepReason::kPath;
    uint32_t folder_bit = 0;
  };
  std::vector<Criterion> criteria_;  ///< kReference first, kPath last
  std::vector<std::string> folders_;
};

}  // namespace imgmill
