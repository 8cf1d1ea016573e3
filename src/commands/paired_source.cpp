// Images and their partners in another folder.
#include "paired_source.h"

#include <algorithm>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/same_file.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

class WithUnpaired final : public ItemSource {
 public:
  WithUnpaired(ItemSource& images, std::vector<const PairIndex*> pairs, bool complete, const StopFlag& stop)
      : images_(images), pairs_(std::move(pairs)), complete_(complete), stop_(stop) {}
  std::optional<ListedFile> Next() override {
    std::optional<ListedFile> file = images_.Next();
    ended_ = !file && !stop_.StopRequested();  // which ends a listing, too
    return file;
  }
  std::vector<ListProblem> Problems() const override {
    std::vector<ListProblem> problems = images_.Problems();
    for (const PairIndex* pairs : pairs_) {
      if (!complete_ || !ended_) break;  // the others may have been asked for yet
      pairs->AddUnpaired(problems);
    }
    return problems;
  }
  IgnoredFiles Ignored() const override { return images_.Ignored(); }
  uint64_t Expected() const override { return images_.Expected(); }

 private:
  ItemSource& images_;
  std::vector<const PairIndex*> pairs_;
  bool complete_;
  const StopFlag& stop_;
  bool ended_ = false;
};

}  // namespace

void PairNameOptions::AddFlags(Flags& flags) {
  flags.Add("--pair-name", partner, "How partners are named, as in '{name}_x4' [{name}]").Type("PATTERN");
  flags.Add("--own-name", own, "How the images themselves are named, as in '{name}_HR' [{name}]")
      .Type("PATTERN");
}

std::optional<std::string> PairNameOptions::Check() const {
  if (const auto parsed = NamePattern::Parse(partner); !parsed)
    return "--pair-name " + parsed.error().message;
  if (const auto parsed = NamePattern::Parse(own); !parsed) return "--own-name " + parsed.error().message;
  return std::nullopt;
}

PairNames PairNameOptions::Names() const {
  const Result<NamePattern> of_own = NamePattern::Parse(own), of_partner = NamePattern::Parse(partner);
  return {of_own ? *of_own : NamePattern(), of_partner ? *of_partner : NamePattern()};
}

std::optional<std::string> CheckPairFolders(const std::vector<std::string>& folders,
                                            const StepsBefore& before) {
  for (const std::string& folder : folders) {
    if (folder == "-" && !HoldsFiles(folder))
      return "--pair -: an archive on stdin can be the images, not their partners";
    if (!HoldsFiles(folder) && !before.MayMake(folder))
      return "--pair " + PrintablePath(folder) + ": no such folder";
  }
  return std::nullopt;
}

Status MayReadPairs(const std::vector<std::string>& folders, const StepsBefore& before) {
  if (const auto wrong = CheckPairFolders(folders, before)) return UsageError(*wrong);
  return {};
}

Result<PairIndex> ReadPairs(const ItemSource& source, const CommandServices& services,
                            const PairFolder& folder) {
  const SharedOptions& shared = *services.shared;
  for (const std::string& path : shared.list.paths) {
    if (source.FromUser() && !folder.names.AreGiven() && IsSameFile(path, folder.path)) {
      return UsageError("--pair " + PrintablePath(folder.path) + " is the folder of the images themselves (" +
                        folder.expectation + ")");
    }
  }
  ListOptions list;
  list.paths = {folder.path};
  list.recursive = shared.list.recursive;
  list.stop = services.stop;
  if (!folder.leave_out.empty()) list.leave_out = {folder.leave_out};
  PairIndex index = TRY(PairIndex::Read(list, folder.names.Names()));
  if (const uint64_t count = index.left_aside(); count > 0) {
    services.log(LogLevel::kInfo, Counted(count, "file of", "files of") + " " + PrintablePath(folder.path) +
                                      (count == 1 ? " is" : " are") + " not named " +
                                      PrintablePath(index.pattern()) + ", and left aside");
  }
  return index;
}

bool NamesWholeFolders(const ItemSource& source, const ListOptions& list) {
  return source.FromUser() && list.files_from.empty() && list.include.empty() && list.exclude.empty() &&
         std::all_of(list.paths.begin(), list.paths.end(), &HoldsFiles);
}

std::unique_ptr<ItemSource> PairedSource(ItemSource& images, std::vector<const PairIndex*> pairs,
                                         bool complete, const StopFlag& stop) {
  return std::make_unique<WithUnpaired>(images, std::move(pairs), complete, stop);
}

Result<std::vector<std::string>> TakePartners(std::vector<PairIndex>& pairs, const ListedFile& file,
                                              const std::string& expectation) {
  std::vector<std::string> paths;
  std::optional<Error> missing;
  for (PairIndex& folder : pairs) {
    Result<std::string> path = folder.Take(file);
    if (!path && missing) missing->message += "; " + path.error().message;
    if (!path && !missing) missing = path.error();
    if (path) paths.push_back(*std::move(path));
  }
  if (missing) return *std::move(missing);
  for (const std::string& path : paths) TRY(IsAnother(file.path, path, expectation));
  return paths;
}

Status IsAnother(const std::string& path, const std::string& partner, const std::string& expectation) {
  if (!IsSameFile(path, partner)) return {};
  return Error{Stage::kList, Code::kConflict, "it is its own partner (" + expectation + ")"};
}

std::string UprightSizeText(const ImageHeader& header) {
  return std::to_string(header.upright_width()) + "x" + std::to_string(header.upright_height());
}

}  // namespace imgmill
