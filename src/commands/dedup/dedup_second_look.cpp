// What every second look does alike.
#include "dedup_second_look.h"

#include <algorithm>

#include "base/try.h"
#include "commands/progress_phase.h"

namespace imgmill {

Result<Candidates> Candidates::Of(const DedupTable& entries, std::vector<uint32_t> rows) {
  Candidates candidates;
  candidates.contents_.reserve(rows.size());
  for (const uint32_t row : rows) {
    const DedupEntry entry = TRY(entries.At(row));
    candidates.files_.Add(entry.file);
    candidates.contents_.push_back(entry.content);
  }
  candidates.rows_ = std::move(rows);
  return candidates;
}

std::optional<size_t> Candidates::Find(uint32_t row) const {
  const auto found = std::lower_bound(rows_.begin(), rows_.end(), row);
  if (found == rows_.end() || *found != row) return std::nullopt;
  return static_cast<size_t>(found - rows_.begin());
}

Status SecondLooker::Run(const Candidates& candidates, CommandRun& run, CommandResult& result) {
  const std::unique_ptr<ItemSource> source = SourceFromFiles(candidates.files());
  CommandRun* const one[] = {&run};
  BeginPhase(*run.engine.progress, "second look");
  const std::vector<CommandResult> looked = TRY(RunEngine(*source, one));
  result.counts.interrupted = looked[0].counts.interrupted;
  result.counts.interruption = looked[0].counts.interruption;
  return looked[0].failed.ForEach([&](const FailedItem& item) {
    result.action_failures.Add(item);
    return Status();
  });
}

CommandServices SecondLooker::Quietly(CommandServices services) {
  services.put_line = nullptr;
  services.observer = nullptr;
  return services;
}

}  // namespace imgmill
