// The map phase of frames: one item in, a set of images out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/dry_run_lines.h"
#include "commands/earlier_choices.h"
#include "commands/output_manifest.h"
#include "commands/stale_outputs.h"
#include "frame_choice.h"
#include "frame_record.h"
#include "imgmill/commands/frames.h"
#include "imgmill/engine/operation.h"
#include "imgmill/engine/output_set.h"

namespace imgmill {

/// Writes each frame or page as an image of its own.
class FramesOperation final : public Operation {
 public:
  /// @param manifest  gets a line for each frame, in the order of the listing; null in a dry run
  /// @param video_threads  that may decode one video, where there is memory for them
  FramesOperation(const FramesOptions& options, const CommandServices& services, OutputManifest* manifest,
                  int video_threads);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  bool MayBeFinished(const Item& item) const override { return WasSetWritten(folder_, Prefixes(item.file)); }
  Result<Prospect> Rehearse(const Item& item) override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  void Collect(Outcome& outcome) override;

  /// Frames written or found finished.
  uint64_t frames() const { return frames_; }
  /// The files of these frames, if a next step wants them.
  const FileTable& written() const { return written_; }
  /// Files of earlier choices: left, or removed with --prune.
  EarlierChoices& earlier() { return earlier_; }
  /// Files of sources that are gone or are called otherwise now.
  StaleOutputs& stale() { return stale_; }
  /// Of a dry run: the images that would be read.
  const DryRunLines& preview() const { return preview_; }

 private:
  class Task;

  /// @param own  the frames of this choice
  Result<EarlierChoice> FindEarlier(const Item& item, const std::vector<std::string>& own);
  Result<ItemPlan> PlanWith(const Item& item, int video_threads) const;
  /// Where the names of a file's frames begin.
  SetPrefixes Prefixes(const ListedFile& file) const;
  /// Of the frames that it may give, in bytewise order: of a video, whose header counts about, more than
  /// there are.
  std::vector<std::string> NamesOf(const Item& item) const;
  /// That the numbers in its frames' names have.
  static int Digits(const Item& item);
  std::string_view extension() const { return Extension(options_.file.Writing().format); }

  const FramesOptions& options_;
  RunMode mode_;
  ReadOptions reading_;
  const int video_threads_;
  const MemoryManager& memory_;
  ImageLimits limits_;
  bool wants_files_;
  Catalog& catalog_;
  OutputFolder folder_;
  OutputManifest* manifest_;
  uint64_t frames_ = 0;
  FileTable written_;
  EarlierChoices earlier_;
  StaleOutputs stale_;
  DryRunLines preview_;
};

}  // namespace imgmill
