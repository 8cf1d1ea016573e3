// What both ways of upscaling share: names, recall, the list of what was written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/dry_run_lines.h"
#include "commands/foreseen_names.h"
#include "commands/image_output.h"
#include "copied_sidecars.h"
#include "imgmill/commands/upscale.h"
#include "imgmill/engine/batch_scheduler.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

class UpscaleOperation : public Operation {
 public:
  UpscaleOperation(const UpscaleOptions& options, std::string fingerprint, const CommandServices& services);

  std::vector<std::string> FindSidecars(const ListedFile& file) override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  bool MayBeFinished(const Item& item) const override { return folder_.WasWritten(OutputName(item.file)); }
  Result<Prospect> Rehearse(const Item& item) override;
  void Collect(Outcome& outcome) override;

  /// What was written, or found finished; in a dry run the images themselves, in place of outputs that do not
  /// exist.
  const FileTable& written() const { return written_; }
  /// Of a dry run: a line an image that would be written, and the largest lease.
  const DryRunLines& preview() const { return preview_; }
  ForeseenNames& foreseen() { return foreseen_; }
  /// Warns of patterns that no side-car has matched, once all images were seen.
  void TellSidecars(const RunCounts& counts) const;

 protected:
  ReadOptions Reading() const;
  WriteOptions Writing() const;
  /// The plan with what writing takes; refuses an image whose output the format cannot hold.
  Result<ItemPlan> WithOutput(ItemPlan plan, const Layout& output) const;
  /// The output's name below the output folder.
  std::string OutputName(const ListedFile& file) const;
  const UpscaleOptions& options() const { return options_; }
  /// A place for the image, once it is known that its side-cars can be copied beside it.
  Result<std::unique_ptr<ImageOutput>> CreateOutput(const Item& item, const std::string& relative,
                                                    const Layout& layout);
  /// Publishes the image, and its side-cars.
  Status Commit(ImageOutput& output, const Item& item, const std::string& relative, Outcome& outcome);

 private:
  Status CopySidecars(const Item& item, const std::string& relative, Outcome& outcome);
  static void AddSidecars(const Item& item, const std::string& relative, Outcome& outcome);
  void TellEdited(const ListedFile& file, const std::vector<std::string>& edited) const;

  const UpscaleOptions& options_;
  const CommandServices& services_;
  OutputFolder folder_;
  CopiedSidecars sidecars_;
  bool allow_truncated_;
  RunMode mode_;
  bool in_pipeline_;
  ForeseenNames foreseen_;
  FileTable written_;
  DryRunLines preview_;
};

/// Enlarges by a classical kernel: the reader resizes while it streams, so this only passes rows on.
class ResizeOperation final : public UpscaleOperation {
 public:
  ResizeOperation(const UpscaleOptions& options, const CommandServices& services);
  Result<ItemPlan> Plan(const Item& item) const override;
  Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;

 private:
  class Task;
};

/// Enlarges by a model: bands of tiles, each with its context, through the batch scheduler.
class ModelOperation final : public UpscaleOperation {
 public:
  ModelOperation(const UpscaleOptions& options, const CommandServices& services, UpscaleModel& model,
                 const NumericsPlan& plan, BatchScheduler& scheduler);
  Result<ItemPlan> Plan(const Item& item) const override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;

 private:
  class Task;

  Layout OutputLayout(const Layout& input) const;

  UpscaleModel& model_;
  NumericsPlan plan_;
  BatchScheduler& scheduler_;
};

/// The longest side of a tile with its context.
int LargestTile(const NumericsPlan& plan);
/// What an image of one such tile, of 8-bit colour, holds between decoder and encoder.
size_t BytesOfOneTile(const NumericsPlan& plan, int scale);

}  // namespace imgmill
