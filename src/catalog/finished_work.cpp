#include "imgmill/catalog/finished_work.h"

#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/schema.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr const char* kFile = "/.imgmill/catalog.sqlite";
constexpr std::string_view kCatalogName = ".imgmill";
constexpr std::string_view kExport = "export/1 in ";
/// Names that are held at once.
constexpr size_t kNamesAtOnce = 1024;

}  // namespace

struct FinishedWork::Impl {
  Database database;
  Statement of_output, names_after;

  Status Add(const std::string& output, std::vector<FoundWork>& found) {
    Statement::Use use(of_output);
    use.Blob(output).Blob(kMainContentFact);
    int step = use.Step();
    for (; step == SQLITE_ROW; step = use.Step()) {
      FoundWork& work = found.emplace_back();
      work.key.fingerprint = use.BlobAt(0);
      work.key.source = use.BlobAt(1);
      work.key.content = DigestFrom(use.BlobAt(2));
      work.key.output = output;
      work.row = RowAt(use, 3);
    }
    return step == SQLITE_DONE ? Status{} : Status{database.LastError("read outputs")};
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
  const std::string entry = AbsoluteEntry(folder);
  const std::string absolute = Canonical(entry).value_or(entry);
  const std::optional<std::string> output =
      NameOf(catalog_folder) == kCatalogName ? Canonical(ParentOf(catalog_folder)) : std::nullopt;
  std::string from_there = absolute;
  if (output && absolute == *output) from_there = ".";
  if (output && absolute.starts_with(Join(*output, "")))
    from_there = absolute.substr(Join(*output, "").size());
  return std::string(kExport) + from_there;
}

std::optional<std::string> FolderOfExport(std::string_view fingerprint, const std::string& output_folder) {
  if (!fingerprint.starts_with(kExport)) return std::nullopt;
  const std::string folder(fingerprint.substr(kExport.size()));
  if (folder == ".") return output_folder;
  return folder.starts_with('/') ? folder : Join(output_folder, folder);
}

FinishedWork::FinishedWork() : impl_(std::make_unique<Impl>()) {}
FinishedWork::~FinishedWork() = default;

Result<std::unique_ptr<FinishedWork>> FinishedWork::Open(const std::string& output_folder) {
  const std::string file = output_folder + kFile;
  if (!Exists(file))
    return Error{
        Stage::kCatalog, Code::kNotFound,
        "there is no catalog in it (.imgmill/catalog.sqlite): it is no output folder of imgmill, or was "
        "copied without it, or written with --no-catalog or --catalog elsewhere"};
  std::unique_ptr<FinishedWork> work(new FinishedWork);
  Database& database = work->impl_->database;
  TRY(database.Open(file));
  TRY(PrepareSchema(database, file));
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
  return work;
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
      int step = use.Step();
      for (; step == SQLITE_ROW; step = use.Step()) names.emplace_back(use.BlobAt(0));
      if (step != SQLITE_DONE) return impl_->database.LastError("read outputs");
    }
    for (const std::string& name : names) TRY(each(name));
    if (!names.empty()) after = names.back();
  } while (names.size() == kNamesAtOnce);
  return {};
}

}  // namespace imgmill
