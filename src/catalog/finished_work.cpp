#include "imgmill/catalog/finished_work.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/moved_files.h"
#include "catalog/recorded_folder.h"
#include "catalog/schema.h"
#include "catalog/sidecar_lines.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr const char* kFile = "/.imgmill/catalog.sqlite";
constexpr std::string_view kActing[] = {"filter/1 ", "dedup/1 ", "apply/1 "};
/// Names that are held at once.
constexpr size_t kNamesAtOnce = 1024;

}  // namespace

struct FinishedWork::Impl {
  Database database;
  std::string output_folder;
  Statement of_output, names_after, folders_of, fact;
  MovedFiles moved;
  std::map<std::string, std::vector<std::string>, std::less<>> folders;

  std::string_view WayIn(const std::string& folder) const {
    const std::string begin = Join(output_folder, "");
    return folder.starts_with(begin) ? std::string_view(folder).substr(begin.size()) : folder;
  }

  /// Which of the folders the source lies in, if it is called as what was made of it. By its end, since all
  /// may have been moved.
  std::optional<size_t> ReadsFrom(const FoundWork& work, const std::vector<std::string>& all) const {
    std::optional<size_t> from;
    size_t longest = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      std::string end = Join(std::string(WayIn(all[i])), work.key.output);
      if (!end.starts_with('/')) end.insert(0, "/");
      if (end.size() <= longest || !work.key.source.ends_with(end)) continue;
      from = i;
      longest = end.size();
    }
    return from;
  }

  /// Those that the work, and the works before it in its chain, have read from.
  Result<std::set<size_t>> FoldersBefore(const FoundWork& work, const std::vector<std::string>& all) {
    std::set<size_t> read;
    std::optional<size_t> from = all.size() > 1 ? ReadsFrom(work, all) : std::nullopt;
    if (!from) return read;
    std::vector<FoundWork> rows;
    TRY(Add(work.key.output, rows));
    ContentDigest content = work.key.content;
    while (from && read.insert(*from).second) {
      const auto maker = std::find_if(rows.begin(), rows.end(), [&](const FoundWork& each) {
        const std::optional<size_t> reads = ReadsFrom(each, all);
        return each.row.digest == content && !(reads && read.contains(*reads));
      });
      if (maker == rows.end()) break;
      from = ReadsFrom(*maker, all);
      content = maker->key.content;
    }
    return read;
  }

  /// In the output folder as the user calls that.
  Result<std::string> FolderAt(const std::string& fingerprint, const std::string& way) {
    if (!way.starts_with('/')) return AtEndOf(way, output_folder);
    return moved.FolderAt(database, fingerprint, way);
  }

  Status Add(const std::string& output, std::vector<FoundWork>& found) {
    Statement::Use use(of_output);
    use.Blob(output).Blob(kMainContentFact);
    return database.ForEachRow(use, "read outputs", [&](const Statement::Use& row) -> Status {
      FoundWork& work = found.emplace_back();
      work.key.fingerprint = row.BlobAt(0);
      work.key.source = row.BlobAt(1);
      work.key.content = DigestFrom(row.BlobAt(2));
      work.key.output = output;
      work.row = RowAt(row, 3);
      return {};
    });
  }
};

std::optional<std::string> OutputFolderOf(const std::string& path) {
  std::string folder = path;
  while (true) {
    if (Exists(folder + kFile)) return folder;
    const size_t slash = folder.rfind('/');
    if (slash == std::string::npos)
      return Exists(std::string(".") + kFile) ? std::optional(".") : std::nullopt;
    if (slash == 0 && folder.size() == 1) return std::nullopt;
    folder.resize(std::max<size_t>(slash, 1));
  }
}

std::string ExportInto(const std::string& folder, const std::string& catalog_folder) {
  return std::string(kExport) + WayTo(folder, catalog_folder);
}

std::string ActionInto(std::string_view command, std::string_view action, const std::string& folder,
                       const std::string& catalog_folder) {
  return std::string(command).append("/1 ").append(action).append(" to ").append(
      WayTo(folder, catalog_folder));
}

bool IsAction(std::string_view fingerprint) {
  return std::ranges::any_of(kActing,
                             [&](std::string_view command) { return fingerprint.starts_with(command); });
}

bool IsMove(std::string_view fingerprint) {
  return std::ranges::any_of(BeginningsOfMoves(),
                             [&](const std::string& begin) { return fingerprint.starts_with(begin); });
}

const std::vector<std::string>& BeginningsOfMoves() {
  static const std::vector<std::string> beginnings = [] {
    std::vector<std::string> each;
    for (const std::string_view command : kActing) each.push_back(std::string(command) + "move to ");
    return each;
  }();
  return beginnings;
}

WorkKey KeyOfFolder(const std::string& folder, const std::string& catalog_folder,
                    std::string_view fingerprint) {
  WorkKey key;
  key.source = kFolderSource;
  key.fingerprint = fingerprint;
  key.output.append(kFolderBegin).append(WayTo(folder, catalog_folder)).append("/");
  return key;
}

FinishedWork::FinishedWork() : impl_(std::make_unique<Impl>()) {}
FinishedWork::~FinishedWork() = default;

namespace {

/// As SQLite's locks and logs need it: not so on a snapshot, or in somebody else's folder.
bool MayWriteBeside(const std::string& file) {
  return ::access(file.c_str(), W_OK) == 0 && ::access(ParentOf(file).c_str(), W_OK) == 0;
}

Status OpenToWrite(Database& database, const std::string& file) {
  TRY(database.Open(file));
  return PrepareSchema(database, file);
}

Status OpenToReadOnly(Database& database, const std::string& file) {
  std::error_code none;
  const bool unread = std::filesystem::file_size(file + "-wal", none) > 0 && !none;
  if (unread)
    return Error{Stage::kCatalog, Code::kPermission,
                 "its catalog was not closed, or a run is using it, and " + PrintablePath(file) +
                     " cannot be written here, as reading it needs: run this where it can be"};
  TRY(database.OpenUnchanging(file));
  const int64_t version = TRY(CheckSchema(database, file));
  if (version == kSchemaVersion) return {};
  return Error{Stage::kCatalog, Code::kUnsupported,
               "an older imgmill wrote its catalog, and " + PrintablePath(file) +
                   " cannot be written here, to be brought up to date: run this once where it can be"};
}

}  // namespace

Result<std::unique_ptr<FinishedWork>> FinishedWork::Open(const std::string& output_folder) {
  const std::string file = output_folder + kFile;
  if (!Exists(file))
    return Error{
        Stage::kCatalog, Code::kNotFound,
        "there is no catalog in it (.imgmill/catalog.sqlite): it is no output folder of imgmill, or was "
        "copied without it, or written with --no-catalog or --catalog elsewhere"};
  std::unique_ptr<FinishedWork> work(new FinishedWork);
  work->impl_->output_folder = output_folder;
  Database& database = work->impl_->database;
  TRY(MayWriteBeside(file) ? OpenToWrite(database, file) : OpenToReadOnly(database, file));
  const auto prepare = [&](Statement& statement, const char* sql) -> Status {
    Statement prepared = TRY(database.Prepare(sql));
    statement = std::move(prepared);
    return {};
  };
  TRY(prepare(work->impl_->of_output,
              "SELECT n.name, w.source, COALESCE((SELECT f.value FROM facts f JOIN names m ON m.id = f.name "
              "WHERE m.name = ?2 AND f.content = w.content), w.content), w.state, w.size, w.digest "
              "FROM work w JOIN names n ON n.id = w.fingerprint WHERE w.output = ?1 AND w.state = 1 "
              "ORDER BY n.name, w.source"));
  TRY(prepare(work->impl_->names_after,
              "SELECT DISTINCT output FROM work WHERE output > ?1 AND state = 1 ORDER BY output LIMIT ?2"));
  TRY(prepare(work->impl_->folders_of,
              "SELECT w.output FROM work w JOIN names n ON n.id = w.fingerprint "
              "WHERE n.name = ?1 AND w.source = ?2 ORDER BY w.output"));
  TRY(prepare(
      work->impl_->fact,
      "SELECT f.value FROM facts f JOIN names n ON n.id = f.name WHERE n.name = ?1 AND f.content = ?2"));
  TRY(work->impl_->moved.Prepare(database, CanonicalOrEntry(output_folder)));
  return work;
}

Result<std::vector<std::string>> FinishedWork::FindMoved(const std::string& path,
                                                         const std::optional<ContentDigest>& content) {
  return impl_->moved.Find(impl_->database, CanonicalOrEntry(path), content);
}

Result<std::optional<std::string>> FinishedWork::FindFact(const ContentDigest& content,
                                                          std::string_view name) {
  Statement::Use use(impl_->fact);
  use.Blob(name).Blob({reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size()});
  const int step = use.Step();
  if (step == SQLITE_ROW) return std::optional(std::string(use.BlobAt(0)));
  if (step != SQLITE_DONE) return impl_->database.LastError("read facts");
  return std::optional<std::string>();
}

std::optional<ContentDigest> SidecarsKey(const std::string& source, std::string_view fingerprint) {
  const size_t at = fingerprint.find(kWithSidecars);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string key = source + "\n" + std::string(fingerprint.substr(at + kWithSidecars.size()));
  return DigestOfBytes(key.data(), key.size());
}

Result<std::vector<FinishedWork::SourceSidecar>> FinishedWork::SidecarsOf(const FoundWork& work) {
  const std::optional<ContentDigest> key = SidecarsKey(work.key.source, work.key.fingerprint);
  if (!key) return std::vector<SourceSidecar>();
  return ReadSidecarLines(TRY(FindFact(*key, kSidecarsFact)).value_or(""));
}

Result<std::optional<std::string>> FinishedWork::FolderOfExport(const std::string& fingerprint) {
  if (!fingerprint.starts_with(kExport)) return std::optional<std::string>();
  return std::optional(TRY(impl_->FolderAt(fingerprint, fingerprint.substr(kExport.size()))));
}

Result<std::vector<std::string>> FinishedWork::FoldersOf(const std::string& fingerprint) {
  const std::string_view options = std::string_view(fingerprint).substr(0, fingerprint.find(kWithSidecars));
  if (const auto known = impl_->folders.find(options); known != impl_->folders.end()) return known->second;
  std::vector<std::string> folders;
  Statement::Use use(impl_->folders_of);
  use.Blob(options).Blob(kFolderSource);
  const auto add = [&](const Statement::Use& row) -> Status {
    const std::string name(row.BlobAt(0));
    const size_t ends = kFolderBegin.size() + 1;
    if (name.size() <= ends) return {};
    const std::string way = name.substr(kFolderBegin.size(), name.size() - ends);
    std::string folder = TRY(impl_->FolderAt(std::string(options), way));
    folders.push_back(std::move(folder));
    return {};
  };
  TRY(impl_->database.ForEachRow(use, "read folders", add));
  return impl_->folders.emplace(options, std::move(folders)).first->second;
}

Result<std::vector<std::string>> FinishedWork::FoldersOf(const FoundWork& work) {
  std::vector<std::string> all = TRY(FoldersOf(work.key.fingerprint));
  const std::set<size_t> read = TRY(impl_->FoldersBefore(work, all));
  std::vector<std::string> folders;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!read.contains(i)) folders.push_back(all[i]);
  }
  return folders.empty() ? all : folders;
}

Result<size_t> FinishedWork::StepsBefore(const FoundWork& work) {
  const std::vector<std::string> all = TRY(FoldersOf(work.key.fingerprint));
  const std::set<size_t> read = TRY(impl_->FoldersBefore(work, all));
  return read.size();
}

Result<std::vector<FoundWork>> FinishedWork::ThatMadeAt(const std::string& path,
                                                        const std::string& relative) {
  const std::string entry = AbsoluteEntry(path);
  std::vector<FoundWork> made;
  size_t depth = 0;
  for (size_t begin = 0; begin != std::string::npos; ++depth) {
    std::vector<FoundWork> found;
    TRY(impl_->Add(relative.substr(begin), found));
    for (FoundWork& work : found) {
      const std::vector<std::string> folders = TRY(FoldersOf(work));
      const auto is_there = [&](const std::string& folder) {
        return AbsoluteEntry(Join(folder, work.key.output)) == entry;
      };
      const bool may = folders.empty() ? depth <= 1 : std::any_of(folders.begin(), folders.end(), is_there);
      if (may) made.push_back(std::move(work));
    }
    begin = relative.find('/', begin);
    if (begin != std::string::npos) ++begin;
  }
  return made;
}

Result<std::vector<FoundWork>> FinishedWork::Of(const std::string& relative) {
  std::vector<FoundWork> found;
  TRY(impl_->Add(relative, found));
  if (const size_t slash = relative.find('/'); slash != std::string::npos)
    TRY(impl_->Add(relative.substr(slash + 1), found));
  return found;
}

Status FinishedWork::ForEachName(const std::function<Status(const std::string& output)>& each) {
  std::vector<std::string> names;
  std::string after;
  do {
    names.clear();
    {
      Statement::Use use(impl_->names_after);
      use.Blob(after).Integer(int64_t{kNamesAtOnce});
      TRY(impl_->database.ForEachRow(use, "read outputs", [&](const Statement::Use& row) -> Status {
        names.emplace_back(row.BlobAt(0));
        return {};
      }));
    }
    for (const std::string& name : names) TRY(each(name));
    if (!names.empty()) after = names.back();
  } while (names.size() == kNamesAtOnce);
  return {};
}

}  // namespace imgmill
