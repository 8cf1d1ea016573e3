// Going through many rows of the catalog, some at a time, so that neither the lock nor the memory is held for
// long.
#include <vector>

#include "catalog/catalog_impl.h"

namespace imgmill {
namespace {

/// Rows that a scan holds between two locks of the catalog.
constexpr size_t kRowsAtOnce = 1024;

struct WorkFound {
  std::string output;
  WorkRow row;
};

struct FileFound {
  std::string path;
  KnownFile file;
  std::optional<std::string> value;
};

}  // namespace

Result<uint64_t> Catalog::CountFiles() {
  const std::lock_guard lock(impl_->mutex);
  Statement::Use use(impl_->count_files);
  if (!impl_->Row(use, "count files")) return impl_->failed.error();
  return static_cast<uint64_t>(use.IntegerAt(0));
}

Status Catalog::ForEachFact(std::string_view name,
                            const std::function<bool(const ContentDigest&, std::string_view)>& each) {
  std::vector<std::pair<ContentDigest, std::string>> rows;
  std::string after;
  do {
    rows.clear();
    {
      const std::lock_guard lock(impl_->mutex);
      const int64_t id = impl_->NameId(name, false);
      if (id != 0) {
        Statement::Use use(impl_->facts_after);
        use.Integer(id).Blob(after).Integer(int64_t{kRowsAtOnce});
        while (impl_->Row(use, "read facts")) rows.emplace_back(DigestFrom(use.BlobAt(0)), use.BlobAt(1));
      }
      if (!impl_->failed) return impl_->failed;
    }
    for (const auto& [content, value] : rows) {
      if (!each(content, value)) return {};
    }
    if (!rows.empty()) after = Bytes(rows.back().first);
  } while (rows.size() == kRowsAtOnce);
  return {};
}

Status Catalog::ForEachFileAndFact(std::string_view name,
                                   const std::function<bool(const std::string&, const KnownFile&,
                                                            const std::optional<std::string>&)>& each) {
  std::vector<FileFound> rows;
  std::string after;
  do {
    rows.clear();
    {
      const std::lock_guard lock(impl_->mutex);
      const int64_t id = impl_->NameId(name, false);  // 0, which is no fact's, where nothing has this one
      Statement::Use use(impl_->files_and_fact);
      use.Integer(id).Blob(after).Integer(int64_t{kRowsAtOnce});
      while (impl_->Row(use, "read files")) {
        rows.push_back({std::string(use.BlobAt(0)), FileAt(use, 1), std::nullopt});
        if (!use.IsNullAt(6)) rows.back().value = use.BlobAt(6);
      }
      if (!impl_->failed) return impl_->failed;
    }
    for (const FileFound& found : rows) {
      if (!each(found.path, found.file, found.value)) return {};
    }
    if (!rows.empty()) after = rows.back().path;
  } while (rows.size() == kRowsAtOnce);
  return {};
}

Status Catalog::ForEachWork(const std::string& source, const ContentDigest& content,
                            const std::string& fingerprint,
                            const std::function<bool(const std::string&, const WorkRow&)>& each) {
  std::vector<WorkFound> rows;
  std::string after;
  do {
    rows.clear();
    {
      const std::lock_guard lock(impl_->mutex);
      const int64_t id = impl_->NameId(fingerprint, false);
      if (id != 0) {
        Statement::Use use(impl_->work_after);
        use.Integer(id).Blob(source).Blob(Bytes(content)).Blob(after).Integer(int64_t{kRowsAtOnce});
        while (impl_->Row(use, "read work")) rows.push_back({std::string(use.BlobAt(0)), RowAt(use, 1)});
      }
      if (!impl_->failed) return impl_->failed;
    }
    for (const WorkFound& found : rows) {
      if (!each(found.output, found.row)) return {};
    }
    if (!rows.empty()) after = rows.back().output;
  } while (rows.size() == kRowsAtOnce);
  return {};
}

}  // namespace imgmill
