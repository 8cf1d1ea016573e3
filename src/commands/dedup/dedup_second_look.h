// A second look at images that are near by hash: a run of the engine over them, then a verdict on pairs.
#pragma once

#include <optional>
#include <vector>

#include "dedup_operation.h"
#include "imgmill/similarity/grouping.h"

namespace imgmill {

/// The images that are looked at again: rows of the entries, ascending, and what their contents were when
/// they were hashed.
class Candidates {
 public:
  static Result<Candidates> Of(const DedupTable& entries, std::vector<uint32_t> rows);

  const FileTable& files() const { return files_; }
  size_t size() const { return rows_.size(); }
  uint32_t row(size_t place) const { return rows_[place]; }
  const ContentDigest& content(size_t place) const { return contents_[place]; }
  /// The place of a row of the entries; nothing if it is none of them.
  std::optional<size_t> Find(uint32_t row) const;

 private:
  std::vector<uint32_t> rows_;
  std::vector<ContentDigest> contents_;
  FileTable files_;
};

class SecondLooker {
 public:
  virtual ~SecondLooker() = default;

  /// A run of the engine over them. Failures go to `result`'s action failures, since the images themselves
  /// were counted.
  virtual Status LookAt(Candidates candidates, CommandResult& result) = 0;

  /// Threads that may ask at once, of so many.
  virtual int Threads(int wanted) const { return wanted; }
  /// What the verdicts by so many threads take.
  virtual Footprint Held(int threads) const = 0;
  /// Takes that. @throws OutOfMemory
  virtual void Prepare(int threads) = 0;
  /// As a Verify, on rows of the entries, the keeper being in that pose (PixelOfPose).
  virtual Result<LookVerdict> Look(int thread, uint32_t keeper, uint32_t other, int pose) = 0;
  /// Whether the difference is what is reported as the distance.
  virtual bool measures_distance() const = 0;
  virtual void Describe(JsonObject& details) const = 0;

 protected:
  /// `run` over the candidates. @param services  those that it was made with, Quietly
  static Status Run(const Candidates& candidates, CommandRun& run, CommandResult& result);
  /// The images were told of by the run over all of them.
  static CommandServices Quietly(CommandServices services);
};

}  // namespace imgmill
