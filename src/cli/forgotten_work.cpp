// Work that is forgotten gets the rows of work that was begun: no file is missing of that, and what is there
// of it a run takes for its own.
#include "forgotten_work.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/try.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

Status ForgetWork(const std::string& output_folder, std::span<const FoundWork> works) {
  if (works.empty()) return {};
  const std::string folder = output_folder + "/.imgmill";
  const std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(folder, "imgmill verify --forget"));
  const std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  std::vector<std::pair<WorkKey, WorkRow>> rows;
  for (const FoundWork& work : works) {
    // Theirs say the main file's content, where the catalog has that of a group.
    for (FoundWork& each : catalog->FindOutputs(work.key.output)) {
      if (each.key.source != work.key.source || each.key.fingerprint != work.key.fingerprint) continue;
      if (each.row.digest != work.row.digest || each.row.state != WorkRow::State::kDone) continue;
      each.row.state = WorkRow::State::kIntent;
      rows.emplace_back(std::move(each.key), each.row);
    }
  }
  TRY(catalog->PutWork(rows));
  return catalog->Flush();
}

}  // namespace imgmill
