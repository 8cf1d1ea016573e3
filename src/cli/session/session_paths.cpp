#include "session_paths.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "archive/archive_path.h"
#include "base/may_overwrite.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// A new folder called out.tar is never what somebody meant.
Status IsNoArchive(const std::string& folder) {
  if (!IsArchiveName(folder) || !IsGone(folder)) return {};
  return UsageError(PrintablePath(folder) +
                    " would be a folder: name it without .tar (shards are written into a folder as well, by "
                    "pack, alone or as a pipeline's last step, or by --pack)");
}

}  // namespace

std::vector<std::string> InputRoots(const ListOptions& list) {
  std::vector<std::string> roots;
  for (const std::string& path : list.paths) roots.push_back(CanonicalOrSame(path));
  if (!list.files_from.empty()) roots.push_back("list:" + list.files_from);
  std::sort(roots.begin(), roots.end());
  return roots;
}

std::optional<std::string> OutputIsInput(const std::vector<std::string>& outputs, const ListOptions& list) {
  for (const std::string& output : outputs) {
    struct stat out = {};
    if (::stat(output.c_str(), &out) != 0) continue;
    for (const std::string& path : list.paths) {
      struct stat in = {};
      if (::stat(path.c_str(), &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
        return "the output folder " + PrintablePath(output) + " is an input folder, too: choose another";
      }
    }
  }
  return std::nullopt;
}

Status TakeStdin(const ListOptions& list, const StopFlag& stop) {
  if (std::find(list.paths.begin(), list.paths.end(), "-") == list.paths.end()) return {};
  if (list.files_from == "-")
    return UsageError("stdin is either a tar archive (-) or a list (--files-from -)");
  return TakeStdinArchive(stop);
}

std::optional<std::string> FindUnnamedArchive(const ListOptions& list) {
  std::optional<std::string> first;
  for (const std::string& path : list.paths) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path, none)) {
      std::string archive = Join(path, entry.path().filename().string());
      if (IsArchive(archive) && (!first || archive < *first)) first = std::move(archive);
    }
  }
  return first;
}

Status CheckTargets(const SessionPlan& plan) {
  for (const std::string& folder : plan.output_folders) TRY(IsNoArchive(folder));
  for (const auto* folders : {&plan.output_folders, &plan.leave_out}) {
    for (const std::string& folder : *folders) {
      TRY(CheckTargetFolder(folder));
    }
  }
  return {};
}

Status OverwritesNoImage(const SharedOptions& shared) {
  TRY(MayOverwrite("--log-file", shared.log_file, WrittenAs::kLog));
  TRY(MayOverwrite("--report", shared.report, WrittenAs::kReport));
  TRY(MayOverwrite("--report-page", shared.report_page, WrittenAs::kPage));
  return MayOverwrite("--metrics-file", shared.metrics_file, WrittenAs::kMetrics);
}

Status MakeReportFolders(const SharedOptions& shared) {
  for (const std::string* file : {&shared.report, &shared.report_page, &shared.metrics_file}) {
    const size_t slash = file->rfind('/');
    if (slash != std::string::npos && slash != 0) TRY(MakeFolders(file->substr(0, slash)));
    struct stat there = {};
    if (!file->empty() && ::stat(file->c_str(), &there) == 0 && S_ISDIR(there.st_mode))
      return UsageError(PrintablePath(*file) + " is a folder; name a file");
  }
  return {};
}

ListOptions ListingOf(const SessionPlan& plan, const SharedOptions& shared) {
  ListOptions list = shared.list;
  list.videos = plan.videos;
  for (const auto* folders : {&plan.output_folders, &plan.leave_out}) {
    list.leave_out.insert(list.leave_out.end(), folders->begin(), folders->end());
  }
  return list;
}

}  // namespace imgmill
