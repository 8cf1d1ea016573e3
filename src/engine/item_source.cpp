// The two kinds of item sources: a listing of the file system, and files handed on by a step.
#include "imgmill/engine/item_source.h"

namespace imgmill {
namespace {

class ListingSource final : public ItemSource {
 public:
  ListingSource(std::unique_ptr<Lister> lister, uint64_t expected)
      : lister_(std::move(lister)), expected_(expected) {}
  std::optional<ListedFile> Next() override { return lister_->Next(); }
  std::vector<ListProblem> Problems() const override { return lister_->problems(); }
  uint64_t Ignored() const override { return lister_->ignored(); }
  bool FromUser() const override { return true; }
  uint64_t Expected() const override { return expected_; }

 private:
  std::unique_ptr<Lister> lister_;
  uint64_t expected_;
};

class FileSource final : public ItemSource {
 public:
  explicit FileSource(std::vector<ListedFile> files) : files_(std::move(files)) {}
  std::optional<ListedFile> Next() override {
    if (next_ == files_.size()) return std::nullopt;
    ListedFile file = files_[next_];
    file.index = next_++;
    return file;
  }
  uint64_t Expected() const override { return files_.size(); }

 private:
  std::vector<ListedFile> files_;
  size_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<ItemSource>> SourceFromListing(const ListOptions& options, bool count) {
  uint64_t expected = 0;
  if (count) {
    const Result<uint64_t> counted = CountListed(options);
    if (!counted) return counted.error();
    expected = *counted;
  }
  Result<std::unique_ptr<Lister>> lister = Lister::Open(options);
  if (!lister) return lister.error();
  return std::unique_ptr<ItemSource>(std::make_unique<ListingSource>(*std::move(lister), expected));
}

std::unique_ptr<ItemSource> SourceFromFiles(std::vector<ListedFile> files) {
  return std::make_unique<FileSource>(std::move(files));
}

}  // namespace imgmill
