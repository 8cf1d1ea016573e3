// The map phase of compare: pairs in, figures out.
#pragma once

#include <functional>
#include <string>

#include "commands/dry_run_lines.h"
#include "compare_limits.h"
#include "compare_task.h"
#include "imgmill/commands/compare.h"
#include "imgmill/dataset/pair_index.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

/// One pair that was compared.
struct PairEntry {
  ListedFile file;
  std::string partner;
  int64_t width = 0;
  int64_t height = 0;
  MeasuredPair measured;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.file), each(self.partner), each(self.width), each(self.height), each(self.measured);
  }
};
using PairTable = RecordTable<PairEntry>;

/// Compares each image with its partner. Only LPIPS needs a device and a model.
class CompareOperation final : public Operation {
 public:
  /// @param lpips  null if that metric is not asked for
  /// @param pairs  where partners are looked up; null where `options.pair` is the partner of the one image
  /// @param see    gets each pair, in order, and its pictures if there is a page
  CompareOperation(const CompareOptions& options, const ComparePlan& plan, const CommandServices& services,
                   LpipsNetwork* lpips, PairIndex* pairs,
                   std::function<void(const PairEntry&, const PairPictureFiles&)> see);

  Result<std::vector<std::string>> FindPartners(const ListedFile& file) override;
  Status Prepare() override { return lpips_ != nullptr ? lpips_->Prepare() : Status(); }
  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  Verdict Judge(const Outcome& outcome) const override;
  void Collect(Outcome& outcome) override;

  /// Of a dry run: the images that would be compared.
  const DryRunLines& preview() const { return preview_; }

 private:
  class Task;

  CompareTaskParts PartsFor(const Item& item) const;

  const CompareOptions& options_;
  const ComparePlan& plan_;
  const bool allow_truncated_;
  Catalog& catalog_;
  LpipsNetwork* lpips_;
  PairIndex* pairs_;
  std::function<void(const PairEntry&, const PairPictureFiles&)> see_;
  DryRunLines preview_;
};

}  // namespace imgmill
