// Forgets evenly: the longer a run, the coarser what is kept of it.
#include "imgmill/memory/batch_log.h"

#include <utility>

#include "memory/batch_log_impl.h"

namespace imgmill {
namespace {

void Raise(MemoryPeak& peak, size_t bytes, double ms) {
  if (bytes > peak.bytes) peak = {bytes, ms};
}

/// Every second batch goes, but none that shows a rung or a failure unless all do.
void ThinOut(std::vector<BatchRecord>& batches) {
  bool keep = false;
  const auto dull = [&keep](const BatchRecord& batch) {
    if (batch.rung != Rung::kNone || batch.failed) return false;
    keep = !keep;
    return !keep;
  };
  if (std::erase_if(batches, dull) == 0) batches.erase(batches.begin(), batches.begin() + kMostBatches / 2);
}

}  // namespace

void BatchLog::Add(BatchRecord record) {
  const std::lock_guard lock(mutex_);
  ++history_.batches_total;
  history_.batches.push_back(std::move(record));
  if (history_.batches.size() > kMostBatches) ThinOut(history_.batches);
}

void BatchLog::Look(double ms, const HostSample& sample, size_t leased, size_t budget) {
  const std::lock_guard lock(mutex_);
  Raise(history_.resident, sample.resident, ms);
  Raise(history_.charged, sample.charged, ms);
  Raise(history_.leased, leased, ms);
  if (looks_++ % every_look_ != 0) return;
  std::vector<MemoryMoment>& moments = history_.moments;
  moments.push_back({ms, sample.resident, sample.charged, leased, budget});
  if (moments.size() <= kMostMoments) return;
  for (size_t i = 0; 2 * i < moments.size(); ++i) moments[i] = moments[2 * i];
  moments.resize((moments.size() + 1) / 2);
  every_look_ *= 2;
}

MemoryHistory BatchLog::History() const {
  const std::lock_guard lock(mutex_);
  return history_;
}

}  // namespace imgmill
