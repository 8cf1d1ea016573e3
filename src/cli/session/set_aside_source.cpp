// A file's folders are looked at when its folder is another than the file's before it: lists come sorted.
#include "set_aside_source.h"

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "dataset/set_aside.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

class Telling final : public ItemSource {
 public:
  Telling(std::unique_ptr<ItemSource> source, const std::vector<std::string>& paths,
          std::function<void(const std::string& folder)> tell)
      : source_(std::move(source)), tell_(std::move(tell)) {
    for (const std::string& path : paths) named_.push_back(CanonicalOrEntry(path));
  }

  std::optional<ListedFile> Next() override {
    std::optional<ListedFile> file = source_->Next();
    if (file) LookAt(ParentOf(file->path));
    return file;
  }
  std::vector<ListProblem> Problems() const override { return source_->Problems(); }
  IgnoredFiles Ignored() const override { return source_->Ignored(); }
  bool FromUser() const override { return source_->FromUser(); }
  uint64_t Expected() const override { return source_->Expected(); }

 private:
  void LookAt(const std::string& folder) {
    if (folder == last_) return;
    last_ = folder;
    std::string at = CanonicalOrSame(folder);
    while (told_.size() < kTold && at.size() > 1) {
      if (Exists(Join(at, kSetAsideMark)) && !IsNamed(at) && std::ranges::find(told_, at) == told_.end()) {
        told_.push_back(at);
        tell_(at);
      }
      std::string above = ParentOf(at);
      if (above.size() >= at.size()) return;
      at = std::move(above);
    }
  }
  bool IsNamed(const std::string& folder) const {
    return std::ranges::any_of(named_, [&](const std::string& path) { return IsAtOrBelow(path, folder); });
  }

  const std::unique_ptr<ItemSource> source_;
  const std::function<void(const std::string& folder)> tell_;
  std::vector<std::string> named_;
  std::vector<std::string> told_;
  std::string last_;
};

}  // namespace

std::unique_ptr<ItemSource> TellingOfSetAside(std::unique_ptr<ItemSource> source,
                                              const std::vector<std::string>& paths,
                                              std::function<void(const std::string& folder)> tell) {
  return std::make_unique<Telling>(std::move(source), paths, std::move(tell));
}

}  // namespace imgmill
