// Each step is one loop over the item's own file and its partner's.
#include "identify.h"

#include <algorithm>
#include <cstring>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

// Its number goes up whenever reading hands out other pixels of some file: nothing is recalled of a content
// without this fact, so that all is computed once more.
constexpr char kSizeFact[] = "upright-size/3";

/// What the engine itself remembers of every content.
struct UprightSize {
  int64_t width = 0;
  int64_t height = 0;

  std::string Pack() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
  static std::optional<UprightSize> Unpack(const std::optional<std::string>& bytes) {
    UprightSize size;
    if (!bytes || bytes->size() != sizeof size) return std::nullopt;
    std::memcpy(&size, bytes->data(), sizeof size);
    return size;
  }
};

}  // namespace

std::string CanonicalFiles::Of(const std::string& path, bool is_link) {
  const std::string_view name = NameOf(path);
  if (is_link || name.empty() || name == "." || name == "..") return CanonicalOrSame(path);
  std::string folder = ParentOf(path);
  if (canonical_.empty() || folder != folder_) {
    canonical_ = CanonicalOrSame(folder);
    folder_ = std::move(folder);
  }
  return canonical_.starts_with('/') ? Join(canonical_, name) : CanonicalOrSame(path);
}

Status Identifier::Locate(Item& item, Operation& operation) {
  item.main.path = item.file.path;
  std::vector<std::string> partners = TRY(operation.FindPartners(item.file));
  for (std::string& path : partners) item.partners.emplace_back().path = std::move(path);
  for (std::string& path : operation.FindSidecars(item.file))
    item.sidecars.emplace_back().path = std::move(path);
  return ForEachFile(item, [this](SourceFile& file) -> Status {
    const FileEntry entry = TRY(EntryOf(file.path));
    file.stamp = entry.stamp;
    file.is_link = entry.is_link;
    file.absolute = canonical_.Of(file.path, file.is_link);
    return {};
  });
}

bool Identifier::FindContents(Item& item) const {
  if (options_.force) return false;
  const auto find = [this](SourceFile& file) {
    const std::optional<KnownFile> known = services_.Notes().FindFile(file.absolute);
    if (!known || known->stamp != file.stamp) return false;
    file.content = known->content;
    return true;
  };
  const auto all = [&](std::vector<SourceFile>& files) {
    return std::all_of(files.begin(), files.end(), find);
  };
  return find(item.main) && all(item.partners) && all(item.sidecars);
}

Status Identifier::Digest(Item& item) const {
  return ForEachFile(item, [this](SourceFile& file) -> Status {
    const ContentDigest digest = TRY(DigestOf(file.path));
    file.content = digest;
    return services_.Notes().PutFile(file.absolute, {file.stamp, file.content});
  });
}

Result<bool> Identifier::Recall(Item& item, Operation& operation, Outcome& outcome) const {
  if (options_.force) return false;
  const auto find_size = [this](SourceFile& file) {
    const auto size = UprightSize::Unpack(services_.catalog->FindFact(file.content, kSizeFact));
    if (!size || size->width > options_.limits.max_pixels / std::max<int64_t>(1, size->height)) return false;
    file.upright_width = size->width;
    file.upright_height = size->height;
    return true;
  };
  if (!find_size(item.main) || !std::all_of(item.partners.begin(), item.partners.end(), find_size))
    return false;
  Result<bool> recalled = operation.Recall(item, outcome);
  outcome.recalled = recalled && *recalled;
  return recalled;
}

Status Identifier::ProbeFiles(Item& item, bool videos) const {
  return ForEachImage(item, [&](SourceFile& file) -> Status {
    ImageHeader header =
        TRY(videos ? ProbeFrames(file.path, options_.limits) : Probe(file.path, options_.limits));
    file.header = std::move(header);
    return {};
  });
}

Status Identifier::RememberSizes(Item& item) const {
  if (!item.partners.empty()) {
    const std::array<uint8_t, 16>& main = item.main.content.bytes;
    TRY(services_.Notes().PutFact(item.WorkContent(), kMainContentFact,
                                  {reinterpret_cast<const char*>(main.data()), main.size()}));
  }
  return ForEachImage(item, [this](SourceFile& file) {
    file.upright_width = file.header.upright_width();
    file.upright_height = file.header.upright_height();
    return services_.Notes().PutFact(
        file.content, kSizeFact, UprightSize{file.upright_width, file.upright_height}.Pack(), file.absolute);
  });
}

Status Identifier::CheckUnchanged(const Item& item) const {
  return ForEachFile(item, [](const SourceFile& file) -> Status {
    // By content where it must be: a backup that links the file meanwhile changes its stamp, too.
    const bool same = TRY(IsAsSeen(file.path, file.stamp, file.content));
    if (same) return {};
    return Error{Stage::kDecode, Code::kReadError, "the file changed while it was read (run again)"};
  });
}

}  // namespace imgmill
