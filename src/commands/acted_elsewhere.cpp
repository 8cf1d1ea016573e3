// A run of that folder's pipeline goes by what its own steps did: what somebody else has taken is to it as if
// it had never been there. So no row says where it went, and none of an action changes.
#include "acted_elsewhere.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/path_parts.h"
#include "base/try.h"
#include "deleted_outputs.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Paths that are held.
constexpr size_t kMostHeld = 65536;

/// Those that the record has something made at; somebody's own file in there is on no record.
Result<std::vector<std::string>> ThoseOnRecord(const std::string& output_folder,
                                               const std::vector<std::string>& paths) {
  const std::unique_ptr<FinishedWork> work = TRY(FinishedWork::Open(output_folder));
  const std::string inside = Join(output_folder, "");
  std::vector<std::string> known;
  for (const std::string& path : paths) {
    if (Exists(path)) continue;
    const std::string relative = path.substr(std::min(inside.size(), path.size()));
    if (!TRY(work->ThatMadeAt(path, relative)).empty()) known.push_back(path);
  }
  return known;
}

}  // namespace

void ActedElsewhere::Add(const FileAction& action) {
  if (action.kind != FileAction::Kind::kMove && !action.takes_away()) return;
  const std::string path = AbsoluteEntry(action.path);
  if (std::string folder = ParentOf(path); folder != last_folder_) {
    last_record_ = OutputFolderOf(folder);
    if (last_record_ && Join(*last_record_, ".imgmill") == CanonicalOrEntry(services_.catalog->folder()))
      last_record_.reset();
    last_folder_ = std::move(folder);
  }
  if (!last_record_) return;
  taken_[*last_record_].push_back(path);
  if (++count_ >= kMostHeld) Put();
}

Status ActedElsewhere::Put(const std::string& output_folder, const std::vector<std::string>& paths) const {
  const std::vector<std::string> known = TRY(ThoseOnRecord(output_folder, paths));
  if (known.empty()) return {};
  const std::string folder = Join(output_folder, ".imgmill");
  const std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(folder, "imgmill " + command_));
  const std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  WorkRows rows;
  for (const std::string& path : known) {
    WorkRows of_file = RowsOfTaken(*catalog, path);
    std::move(of_file.begin(), of_file.end(), std::back_inserter(rows));
  }
  TRY(catalog->PutWork(std::move(rows)));
  return catalog->Flush();
}

void ActedElsewhere::Put() {
  for (const auto& [folder, paths] : std::exchange(taken_, {})) {
    const Status put = Put(folder, paths);
    if (put) continue;
    services_.log(LogLevel::kWarning,
                  "what was taken away from " + PrintablePath(folder) +
                      " cannot be noted there: " + put.error().message +
                      "; imgmill verify may miss it (imgmill verify --forget takes it off the record)");
  }
  count_ = 0;
}

}  // namespace imgmill
