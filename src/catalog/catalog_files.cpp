// What is known of files. They are mostly asked for in the order of their paths, in which their rows lie: one
// row follows another, and a search from the root of the tree is rare.
#include "base/try.h"
#include "catalog/catalog_impl.h"

namespace imgmill {
namespace {

/// So many rows are passed over before a search is tried, which takes as long as some steps.
constexpr int kMostSteps = 2;

}  // namespace

bool Catalog::Impl::StepTo(std::string_view path) {
  // Between the path that was asked for last and the row at hand there is none.
  bool on_the_way = onward && path >= asked;
  for (int steps = 0; on_the_way && !at_end && onward->BlobAt(0) < path; ++steps) {
    on_the_way = steps < kMostSteps;
    if (on_the_way) at_end = !Row(*onward, "find a file");
  }
  if (!on_the_way) {
    onward.reset();
    onward_from = path;
    onward.emplace(files_from).Blob(onward_from);
    at_end = !Row(*onward, "find a file");
  }
  asked = path;
  if (!failed) onward.reset();
  return onward && !at_end && onward->BlobAt(0) == path;
}

KnownFile Catalog::Impl::Found(const Statement::Use& row, int column) {
  KnownFile file = FileAt(row, column);
  last_file.is_there = true;
  last_file.content = file.content;
  last_file.facts = row.BlobAt(column + 5);
  return file;
}

std::optional<KnownFile> Catalog::FindFile(std::string_view absolute_path) {
  const std::lock_guard lock(impl_->mutex);
  impl_->BeginReading();
  if (impl_->Reading()) {
    if (!impl_->StepTo(absolute_path)) return std::nullopt;
    return impl_->Found(*impl_->onward, 1);
  }
  Statement::Use use(impl_->find_file);  // what is being written may lie anywhere
  if (use.Blob(absolute_path); !impl_->Row(use, "find a file")) return std::nullopt;
  return impl_->Found(use, 0);
}

Status Catalog::PutFile(std::string_view absolute_path, const KnownFile& file) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->Begin());
  {
    Statement::Use use(impl_->put_file);
    use.Blob(absolute_path).Integer(file.stamp.size).Integer(file.stamp.mtime_ns);
    use.Integer(file.stamp.ctime_ns).Integer(static_cast<int64_t>(file.stamp.inode));
    use.Blob(Bytes(file.content));
    TRY(impl_->Ran(use, "put a file"));
  }
  return impl_->CountPut();
}

Status Catalog::Impl::PutBeside(std::string_view path, const ContentDigest& content, std::string_view name,
                                std::string_view value) {
  std::string facts;
  {
    Statement::Use use(find_beside);
    if (use.Blob(path).Blob(Bytes(content)); !Row(use, "find a file")) return failed;
    facts = use.BlobAt(0);
  }
  const std::string before = facts;
  PutFactBeside(facts, name, value);
  if (facts == before) return {};
  Statement::Use use(put_beside);
  use.Blob(facts).Blob(path);
  return Ran(use, "put a fact beside a file");
}

}  // namespace imgmill
