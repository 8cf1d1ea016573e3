// Going through many rows of the catalog, some at a time, so that neither the lock nor the memory is held for
// long.
#include <algorithm>
#include <vector>

#include "base/try.h"
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
};

/// Values by content, which are added in the order of contents.
class FactsInMemory {
 public:
  void Add(const ContentDigest& content, std::string_view value) {
    entries_.push_back({content, values_.size()});
    values_.append(value);
  }

  /// Digests are evenly spread, so that where one lies can be guessed.
  std::optional<std::string> Find(const ContentDigest& content) const {
    if (entries_.empty()) return std::nullopt;
    uint64_t first = 0;  // bytes of it, as a number in their order
    for (size_t i = 0; i < sizeof first; ++i) first = first << 8 | content.bytes[i];
    const double part = static_cast<double>(first) / 0x1p64;
    const size_t guess =
        std::min(entries_.size() - 1, static_cast<size_t>(part * static_cast<double>(entries_.size())));
    const auto before = [&](size_t at) { return entries_[at].content < content; };
    size_t low = guess, high = guess;  // it is in [low, high]
    for (size_t step = 1; low > 0 && !before(low); step *= 2) low -= std::min(low, step);
    for (size_t step = 1; high < entries_.size() && before(high); step *= 2)
      high += std::min(entries_.size() - high, step);
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      before(middle) ? low = middle + 1 : high = middle;
    }
    if (low == entries_.size() || entries_[low].content != content) return std::nullopt;
    const size_t end = low + 1 < entries_.size() ? entries_[low + 1].at : values_.size();
    return values_.substr(entries_[low].at, end - entries_[low].at);
  }

 private:
  struct Entry {
    ContentDigest content;
    size_t at = 0;  ///< of its value
  };
  std::vector<Entry> entries_;
  std::string values_;
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

/// Facts lie in the order of contents and files in that of paths: looked up for each file, a fact would lie
/// anywhere in the database. So both are read from one end to the other, the facts first, of which each takes
/// 24 bytes and its value while the files are read.
Status Catalog::ForEachFileAndFact(std::string_view name,
                                   const std::function<bool(const std::string&, const KnownFile&,
                                                            const std::optional<std::string>&)>& each) {
  FactsInMemory facts;
  TRY(ForEachFact(name, [&](const ContentDigest& content, std::string_view value) {
    facts.Add(content, value);
    return true;
  }));
  std::vector<FileFound> rows;
  std::string after;
  do {
    rows.clear();
    {
      const std::lock_guard lock(impl_->mutex);
      Statement::Use use(impl_->files_after);
      use.Blob(after).Integer(int64_t{kRowsAtOnce});
      while (impl_->Row(use, "read files")) rows.push_back({std::string(use.BlobAt(0)), FileAt(use, 1)});
      if (!impl_->failed) return impl_->failed;
    }
    for (const FileFound& found : rows) {
      if (!each(found.path, found.file, facts.Find(found.file.content))) return {};
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
