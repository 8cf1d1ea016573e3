// The tiles that wait for a device, oldest first, and which of them make the next batch of which device.
#pragma once

#include <list>
#include <optional>
#include <span>
#include <vector>

#include "device_schedule.h"
#include "imgmill/engine/batch_scheduler.h"

namespace imgmill {

/// The jobs of one BatchScheduler::Run. Lives on the caller's stack until all are accounted for.
struct TileRequest {
  size_t open = 0;  ///< jobs neither done nor failed
  Status status;
};

struct WaitingTile {
  TileJob* job;
  TileRequest* request;
  std::vector<int> refused_by = {};  ///< devices that had no memory for it

  /// Whether they may be in one batch.
  bool GoesWith(const WaitingTile& other) const {
    return job->height == other.job->height && job->width == other.job->width &&
           job->form == other.job->form && refused_by == other.refused_by;
  }
};

/// The scheduler's lock guards it, save where it says otherwise.
class TileQueue {
 public:
  TileQueue(const BatchModel& model, const NumericsPlan& plan, const MemoryManager& memory)
      : model_(model), plan_(plan), memory_(memory) {}

  bool empty() const { return tiles_.empty(); }
  void Push(TileJob& job, TileRequest& request) { tiles_.push_back({&job, &request}); }
  /// Puts tiles back at the head, in their order.
  void PutBack(std::vector<WaitingTile> tiles);

  /// The oldest batch among those that `device` is likely to end before any other would; empty if there is
  /// none. All batches are full, save that the last ones need not be when they go `as_they_are`; then what
  /// there is for the host is shared out among its idle streams.
  std::vector<WaitingTile> Take(int device, bool as_they_are, std::vector<DeviceLoad> devices);

  /// Shape of the batch that comes next.
  std::optional<BatchShape> NextShape() const;
  BatchShape ShapeOf(const TileJob& job) const { return {plan_.micro_batch, job.height, job.width}; }
  /// Padded tiles included.
  double Pixels(const TileJob& job) const;

  /// Whether another device should go on with it, now that this one is lost or has no memory for it. Needs no
  /// lock.
  bool HasOther(const WaitingTile& tile, int device, bool lost) const;

 private:
  using Group = std::vector<std::list<WaitingTile>::iterator>;
  std::vector<Group> Groups(bool as_they_are, size_t most);
  size_t Share(const DeviceLoad& load) const;
  std::vector<bool> DevicesFor(const WaitingTile& tile) const;
  bool MayTry(const WaitingTile& tile, int device) const;

  const BatchModel& model_;
  const NumericsPlan& plan_;
  const MemoryManager& memory_;
  std::list<WaitingTile> tiles_;
};

}  // namespace imgmill
