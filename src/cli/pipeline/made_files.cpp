// Each step's files in a clause of their own, so that the sums can be followed.
#include "made_files.h"

#include "base/counted.h"

namespace imgmill {

void MadeFiles::Take(const CommandResult& step) {
  if (made_.empty()) return;
  OfStep& last = made_.back();
  last.dropped += step.dropped;
  last.failed += step.counts.failed;
  last.all_seen = last.all_seen && !step.counts.interrupted;
}

void MadeFiles::Add(const std::string& step, uint64_t files) {
  made_.push_back({step, files});
}

uint64_t MadeFiles::dropped() const {
  uint64_t sum = 0;
  for (const OfStep& each : made_) sum += each.dropped;
  return sum;
}

std::string MadeFiles::Text() const {
  std::string text;
  for (const OfStep& each : made_) {
    text += "; " + each.step + " made " + Counted(each.files, "file") + " from " +
            (&each == &made_.front() ? "them" : "those");
    if (!each.all_seen || each.dropped + each.failed == 0) continue;
    text += ": " + std::to_string(each.files - each.dropped - each.failed) + " kept, " +
            std::to_string(each.dropped) + " dropped";
    if (each.failed > 0) text += ", " + std::to_string(each.failed) + " failed";
  }
  return text;
}

}  // namespace imgmill
