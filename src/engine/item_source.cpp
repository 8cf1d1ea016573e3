// The two kinds of item sources: a listing of the file system, and files handed on by a step.
#include "imgmill/engine/item_source.h"

#include <stdexcept>

#include "base/try.h"

namespace imgmill {
namespace {

class ListingSource final : public ItemSource {
 public:
  ListingSource(std::unique_ptr<Lister> lister, uint64_t expected)
      : lister_(std::move(lister)), expected_(expected) {}
  std::optional<ListedFile> Next() override { return lister_->Next(); }
  std::vector<ListProblem> Problems() const override { return lister_->problems(); }
  IgnoredFiles Ignored() const override { return lister_->ignored(); }
  bool FromUser() const override { return true; }
  uint64_t Expected() const override { return expected_; }

 private:
  std::unique_ptr<Lister> lister_;
  uint64_t expected_;
};

class FileSource final : public ItemSource {
 public:
  explicit FileSource(const FileTable& files) : expected_(files.size()), files_(files) {}
  std::optional<ListedFile> Next() override {
    Result<std::optional<ListedFile>> file = files_.Next();
    if (!file) throw std::runtime_error(file.error().message);
    if (*file) (*file)->index = next_++;
    return *std::move(file);
  }
  uint64_t Expected() const override { return expected_; }

 private:
  const uint64_t expected_;
  FileTable::Reader files_;
  uint64_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<ItemSource>> SourceFromListing(const ListOptions& options, bool count) {
  uint64_t expected = 0;
  if (count) {
    const uint64_t counted = TRY(CountListed(options));
    expected = counted;
  }
  std::unique_ptr<Lister> lister = TRY(Lister::Open(options));
  return std::unique_ptr<ItemSource>(std::make_unique<ListingSource>(std::move(lister), expected));
}

std::unique_ptr<ItemSource> SourceFromFiles(const FileTable& files) {
  return std::make_unique<FileSource>(files);
}

}  // namespace imgmill
