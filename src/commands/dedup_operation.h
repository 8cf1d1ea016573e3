// The map phase of dedup: one hash, its notes and one size for each image, recalled or computed.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "image_notes.h"
#include "imgmill/commands/command.h"
#include "imgmill/engine/operation.h"
#include "imgmill/signals/perceptual_hash.h"

namespace imgmill {

/// What dedup knows of one image.
struct DedupEntry {
  ListedFile file;
  ContentDigest content;
  FileStamp stamp;
  int64_t bytes = 0;
  int64_t width = 0;  ///< upright
  int64_t height = 0;
  uint64_t hash = 0;
  ImageNotes notes;         ///< of what was compared by its looks
  uint64_t vector_row = 0;  ///< of --method embedding
  bool is_link = false;     ///< a symbolic one

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.file), each(self.content), each(self.stamp), each(self.bytes), each(self.width);
    each(self.height), each(self.hash), each(self.notes), each(self.vector_row), each(self.is_link);
  }
};
using DedupTable = RecordTable<DedupEntry>;

bool IsSymbolicLink(const std::string& path);

class DedupOperation final : public Operation {
 public:
  /// @param kind  nothing compares contents only.
  DedupOperation(std::optional<HashKind> kind, bool scaled_decode, bool allow_truncated,
                 const CommandServices& services);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  Verdict Judge(const Outcome&) const override { return Verdict::kAfterReduce; }
  void Collect(Outcome& outcome) override;

  /// Of all images that did not fail, in order.
  const DedupTable& entries() const { return entries_; }

 private:
  class Task;

  ReadOptions Reading(const ImageHeader& header) const;

  std::optional<HashKind> kind_;
  bool scaled_;
  bool allow_truncated_;
  Catalog& catalog_;
  std::string hash_fact_;  // "phash/2 with notes/2"
  DedupTable entries_;
};

}  // namespace imgmill
