// A micro-batch of equal tiles or images as work for the out-of-memory ladder: it keeps what is finished
// between attempts.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "imgmill/engine/batch_scheduler.h"

namespace imgmill {

/// The streams of one thread of a batch scheduler: on its device, and, from the first time that the CPU has
/// to step in, on that.
class ThreadStreams {
 public:
  /// @param precision  of the thread's device; the CPU that steps in for it computes in float32
  ThreadStreams(BatchModel& model, Precision precision) : model_(model), precision_(precision) {}
  /// @param place  the thread's device, or the CPU that steps in for it
  Result<ModelStream*> On(WorkPlace place);

 private:
  BatchModel& model_;
  const Precision precision_;
  std::unique_ptr<ModelStream> own_, cpu_;
};

/// The kInterrupted of an image that is left between regions, or of its tiles.
Error StoppedInWork();

class TileGroup final : public LadderWork {
 public:
  /// @param stop      is looked at between batches, and within one where the model can leave it
  /// @param label     for the report
  /// @param may_move  answers has_other_device
  /// @param predict   bytes of a batch on the device that the work begins on
  TileGroup(BatchModel& model, ThreadStreams& streams, const NumericsPlan& plan, const StopFlag& stop,
            std::vector<TileJob*> jobs, BatchLabel label, std::function<bool(bool lost)> may_move,
            std::function<size_t(int n, int height, int width)> predict)
      : model_(model),
        streams_(streams),
        plan_(plan),
        stop_(stop),
        jobs_(std::move(jobs)),
        label_(std::move(label)),
        may_move_(std::move(may_move)),
        predict_(std::move(predict)) {}

  Status Run(const Attempt& attempt) override;
  BatchLabel label() const override { return label_; }
  size_t ExpectedBytes(const Attempt& attempt) const override;
  int planned_micro_batch() const override { return plan_.micro_batch; }
  int planned_tile() const override { return plan_.tile; }
  int smallest_tile() const override;
  bool has_other_device(bool lost) const override { return may_move_(lost); }

 private:
  /// Tiles of one size and form, as a batch of n.
  Status Forward(ModelStream& stream, WorkPlace place, std::span<TileJob* const> jobs, int n);
  Status ForwardToEnd(ModelStream& stream, WorkPlace place, std::span<TileJob* const> jobs, int n);
  Status RunInParts(ModelStream& stream, const Attempt& attempt, TileJob& job);

  BatchModel& model_;
  ThreadStreams& streams_;
  const NumericsPlan& plan_;
  const StopFlag& stop_;
  std::vector<TileJob*> jobs_;
  const BatchLabel label_;
  const std::function<bool(bool lost)> may_move_;
  const std::function<size_t(int n, int height, int width)> predict_;
};

}  // namespace imgmill
