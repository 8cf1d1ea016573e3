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

/// The first of every two stay.
template <typename T>
void Halve(std::vector<T>& entries) {
  for (size_t i = 0; 2 * i < entries.size(); ++i) entries[i] = entries[2 * i];
  entries.resize((entries.size() + 1) / 2);
}

}  // namespace

void BatchLog::Add(BatchRecord record) {
  const std::lock_guard lock(mutex_);
  ++history_.batches_total;
  if (record.failed) ++history_.batches_failed;
  ++history_.batches_by_rung[static_cast<size_t>(record.rung)];
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
  Halve(moments);
  every_look_ *= 2;
}

void BatchLog::Cleared(const ClearRecord& clear) {
  const std::lock_guard lock(mutex_);
  if (clears_++ % every_clear_ != 0) return;
  history_.clears.push_back(clear);
  if (history_.clears.size() <= kMostClears) return;
  Halve(history_.clears);
  every_clear_ *= 2;
}

MemoryHistory BatchLog::History() const {
  const std::lock_guard lock(mutex_);
  return history_;
}

}  // namespace imgmill
