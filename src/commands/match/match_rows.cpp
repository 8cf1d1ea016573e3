// What the catalog knows of files and of contents is read from one end to the other, each by itself, and
// joined in memory. Files are looked at on all threads.
#include "match_rows.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "imgmill/dataset/publish.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

/// Files that are looked at together.
constexpr size_t kFilesAtOnce = 4096;
constexpr size_t kPathBytes = 256;  ///< of one, more than most have

bool IsBelow(const std::vector<std::string>& folders, const std::string& path) {
  return folders.empty() || std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
           return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
         });
}

/// False for members of archives, too: they are looked at in another way.
bool IsFileAsItWas(const char* path, const FileStamp& stamp) {
  struct stat info {};
  return ::stat(path, &info) == 0 && S_ISREG(info.st_mode) && StampFrom(info) == stamp;
}

Error Stopped() {
  return {Stage::kReduce, Code::kInterrupted, "stopped while looking for the images to search"};
}

}  // namespace

void SearchedRows::LeaveOutDamaged() {
  const SearchRow* const kept = std::remove_if(rows.data(), rows.data() + count,
                                               [](const SearchRow& row) { return row.id == kNobody; });
  const auto left = static_cast<size_t>(kept - rows.data());
  damaged += count - left;
  count = left;
}

size_t RowFinder::Bytes(uint64_t vectors) {
  constexpr size_t kOfCatalog = 24;  // beside the value, while it joins files and contents
  // An array that grows is there twice for a moment, half as large again in the mean.
  return vectors * (kOfCatalog + sizeof(VectorFile::Place)) * 2 +
         kFilesAtOnce * (sizeof(SeenFile) + kPathBytes);
}

Result<SearchedRows> RowFinder::Find(const MatchSource& source, uint64_t known) {
  SearchedRows here;
  here.source = &source;
  here.rows = PoolArray<SearchRow>(known);
  here.first = static_cast<uint32_t>(found_.images.size());
  const uint64_t changed_before = found_.changed;
  std::vector<SeenFile> files;
  files.reserve(kFilesAtOnce);
  Status taken;
  const auto see = [&](const std::string& path, const KnownFile& file,
                       const std::optional<std::string>& value) {
    VectorFile::Place place;
    if (IsNew(source, path)) {
      const bool has_vector = Unpack(value, place);
      if (!has_vector) ++found_.without_vector;
      if (has_vector) files.push_back({path, file, place});
    }
    if (files.size() == kFilesAtOnce) {
      taken = Take(files, source, here);
      files.clear();
    }
    return taken.ok() && !services_.stop->StopRequested();
  };
  TRY(source.store.catalog->ForEachFileAndFact(fact_, see));
  if (services_.stop->StopRequested()) return Stopped();
  if (!taken) return taken.error();
  TRY(Take(files, source, here));
  here.end = static_cast<uint32_t>(found_.images.size());
  if (found_.changed > changed_before)
    found_.changed_below.insert(found_.changed_below.end(), source.embedded.begin(), source.embedded.end());
  std::sort(here.rows.data(), here.rows.data() + here.count,
            [](const SearchRow& a, const SearchRow& b) { return a.row < b.row; });
  // Of a file that has become shorter, what lay behind its end is lost.
  for (size_t i = here.count; i > 0 && here.rows[i - 1].row >= source.store.file->rows(); --i)
    here.rows[i - 1].id = kNobody;
  here.LeaveOutDamaged();
  return here;
}

Status RowFinder::Take(std::span<SeenFile> files, const MatchSource& source, SearchedRows& here) {
  if (look_) {
    const auto threads = static_cast<size_t>(services_.workers());
    OnThreads(static_cast<int>(threads), [&](int thread) {
      for (size_t i = static_cast<size_t>(thread); i < files.size(); i += threads)
        files[i].as_it_was = IsFileAsItWas(files[i].path.c_str(), files[i].file.stamp);
    });
  }
  for (const SeenFile& seen : files) {
    if (look_ && !seen.as_it_was && !StillThere(seen.path, seen.file, *source.store.catalog)) continue;
    // Another process may have added files since they were counted.
    if (here.count == here.rows.size()) break;
    here.rows[here.count++] = {seen.place.row, static_cast<uint32_t>(found_.images.size()),
                               seen.place.checksum};
    found_.images.Add(seen.path);
  }
  return noted_;
}

/// Whether no source before this one searches that file, and this one does.
bool RowFinder::IsNew(const MatchSource& source, const std::string& path) const {
  for (const MatchSource& earlier : sources_) {
    if (&earlier == &source) break;
    if (IsBelow(earlier.folders, path)) return false;
  }
  return IsBelow(source.folders, path);
}

Result<bool> RowFinder::IsThere(const MatchSource& source, const std::string& path) {
  const std::optional<KnownFile> known = source.store.catalog->FindFile(path);
  const bool there = known && StillThere(path, *known, *source.store.catalog);
  if (!noted_) return noted_.error();
  return there;
}

/// What was only renamed to and fro, or linked, is looked at by content once, and noted.
bool RowFinder::StillThere(const std::string& path, const KnownFile& file, Catalog& catalog) {
  const Result<FileStamp> now = StampOf(path);
  if (!now) {
    ++found_.gone;
    return false;
  }
  if (*now == file.stamp) return true;
  const Result<bool> same = IsAsSeen(path, file.stamp, file.content);
  if (!same || !*same) {
    ++found_.changed;
    return false;
  }
  if (Status put = catalog.PutFile(path, {*now, file.content}); !put && noted_) noted_ = put;
  return true;
}

}  // namespace imgmill
