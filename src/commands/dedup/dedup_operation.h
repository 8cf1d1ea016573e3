// The map phase of dedup: one hash, its notes and one size for each image, recalled or computed.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "commands/image_notes.h"
#include "dedup_places.h"
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
  Hash256 hash{};              ///< one of 64 bits is the first word
  std::vector<Hash256> poses;  ///< PoseHashes, where they were asked for
  uint16_t quality = 100;      ///< PerceptualHasher's
  ImageNotes notes;            ///< of what was compared by its looks
  uint64_t vector_row = 0;     ///< of --method embedding
  uint64_t posed_row = 0;      ///< of the vectors of its poses
  double blockiness = 0;       ///< where it was asked for
  uint32_t folders = 0;        ///< a bit for each of DedupPlaces' folders that it lies in
  bool is_link = false;        ///< a symbolic one
  bool in_reference = false;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.file), each(self.content), each(self.stamp), each(self.bytes), each(self.width);
    each(self.height), each(self.hash), each(self.notes), each(self.vector_row), each(self.posed_row);
    each(self.is_link);
    each(self.blockiness), each(self.folders), each(self.in_reference);
    each(self.poses), each(self.quality);
  }
};
using DedupTable = RecordTable<DedupEntry>;

/// What DedupOperation looks at.
struct DedupLook {
  std::optional<HashKind> kind;  ///< nothing compares contents only
  bool scaled_decode = false;
  bool blockiness = false;  ///< of what is read, too
  bool poses = false;       ///< hashes of all of them, too
  DedupPlaces places;
};

class DedupOperation final : public Operation {
 public:
  DedupOperation(DedupLook look, const CommandServices& services);

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

  /// What is known of the file itself.
  void Describe(const SourceFile& file, DedupEntry& entry) const;

  const DedupLook look_;
  const bool allow_truncated_;
  Catalog& catalog_;
  std::string hash_fact_;  // "phash/2 with notes/3"
  DedupTable entries_;
};

}  // namespace imgmill
