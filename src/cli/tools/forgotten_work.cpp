// Work that is forgotten gets the rows of work that was begun: no file is missing of that, and what is there
// of it a run takes for its own.
#include "forgotten_work.h"

#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "commands/deleted_outputs.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

namespace {

/// Puts rows into an output folder's catalog, which nobody else uses meanwhile.
/// @param who  "imgmill undo", for those who wait
/// @param rows_of  rows_of(catalog)
template <typename RowsOf>
Status PutRows(const std::string& output_folder, const std::string& who, const RowsOf& rows_of) {
  const std::string folder = output_folder + "/.imgmill";
  const std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(folder, who));
  const std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  TRY(catalog->PutWork(rows_of(*catalog)));
  return catalog->Flush();
}

/// The files by the output folders on whose record they may be.
std::map<std::string, std::vector<std::string>> ByFolder(std::span<const std::string> folders,
                                                         std::span<const UndoneFile> files) {
  std::set<std::string> beside;
  for (const std::string& each : folders) {
    if (std::optional<std::string> folder = OutputFolderOf(each)) beside.insert(*std::move(folder));
  }
  std::map<std::string, std::vector<std::string>> by_folder;
  for (const UndoneFile& file : files) {
    // They are above the file, above what it was taken from, or told by the undo file.
    std::set<std::string> above = beside;
    for (const std::string& path : {file.path, file.source}) {
      if (std::optional<std::string> folder = OutputFolderOf(ParentOf(path)))
        above.insert(*std::move(folder));
    }
    for (const std::string& folder : above) by_folder[folder].push_back(file.path);
  }
  return by_folder;
}

/// Those of a folder are no reason to leave out others.
template <typename Change>
std::vector<Error> ChangeEach(std::span<const std::string> folders, std::span<const UndoneFile> files,
                              const Change& change) {
  std::vector<Error> errors;
  for (const auto& [folder, of_folder] : ByFolder(folders, files)) {
    if (Status changed = change(folder, of_folder); !changed) errors.push_back(std::move(changed).error());
  }
  return errors;
}

Status ForgetIn(const std::string& folder, const std::vector<std::string>& files) {
  std::vector<FoundWork> gone;
  {
    const std::unique_ptr<FinishedWork> work = TRY(FinishedWork::Open(folder));
    for (const std::string& file : files) {
      std::vector<FoundWork> found = TRY(work->ThatMadeAt(file, file.substr(1)));
      std::erase_if(found, [](const FoundWork& each) { return !IsAction(each.key.fingerprint); });
      std::move(found.begin(), found.end(), std::back_inserter(gone));
    }
  }
  return ForgetWork(folder, gone);
}

Status RecallIn(const std::string& folder, const std::vector<std::string>& files) {
  return PutRows(folder, "imgmill undo", [&](Catalog& catalog) {
    WorkRows rows;
    for (const std::string& file : files) {
      WorkRows found = RowsOfRestored(catalog, file);
      std::move(found.begin(), found.end(), std::back_inserter(rows));
    }
    return rows;
  });
}

}  // namespace

Status ForgetWork(const std::string& output_folder, std::span<const FoundWork> works) {
  if (works.empty()) return {};
  return PutRows(output_folder, "imgmill verify --forget", [&](Catalog& catalog) {
    WorkRows rows;
    for (const FoundWork& work : works) {
      // Theirs say the main file's content, where the catalog has that of a group.
      for (FoundWork& each : catalog.FindOutputs(work.key.output)) {
        if (each.key.source != work.key.source || each.key.fingerprint != work.key.fingerprint) continue;
        if (each.row.digest != work.row.digest || each.row.state != WorkRow::State::kDone) continue;
        each.row.state = WorkRow::State::kIntent;
        rows.emplace_back(std::move(each.key), each.row);
      }
    }
    return rows;
  });
}

std::vector<Error> ForgetUndone(std::span<const std::string> folders, std::span<const UndoneFile> files) {
  return ChangeEach(folders, files, ForgetIn);
}

std::vector<Error> RecallRestored(std::span<const std::string> folders, std::span<const UndoneFile> files) {
  return ChangeEach(folders, files, RecallIn);
}

}  // namespace imgmill
