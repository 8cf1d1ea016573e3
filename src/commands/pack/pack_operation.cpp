// Nothing is decoded: header, digest and side-cars are what the engine finds out anyway.
#include "pack_operation.h"

#include <algorithm>

#include "base/path_parts.h"
#include "commands/paired_source.h"

namespace imgmill {
namespace {

struct PackPayload final : Payload {
  PackedImage image;
};

}  // namespace

std::optional<std::string_view> SampleKey(std::string_view member) {
  const std::string_view name = NameOf(member);
  const size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  return member.substr(0, member.size() - name.size() + dot);
}

namespace {

/// Without dots. No two names become one.
std::string Escaped(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == '.' || c == '%') {
      escaped += c == '.' ? "%2E" : "%25";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

/// The key of an image's own sample. A slash stands in no name, so that %2F cannot come from one.
std::string KeyOf(const ListedFile& image) {
  const std::string_view name = NameOf(image.relative), stem = StemOf(name);
  const std::string key = image.relative.substr(0, image.relative.size() - name.size()) + Escaped(stem);
  if (image.clash == NameClash::kNone) return key;
  return key + "%2F" + Escaped(name.substr(std::min(name.size(), stem.size() + 1)));
}

std::string_view ExtensionOf(std::string_view path) {
  const std::string_view name = NameOf(path);
  return name.substr(StemOf(name).size());
}

}  // namespace

std::string MemberOfImage(const ListedFile& image, std::string_view file) {
  const std::string_view name = NameOf(image.relative);
  const std::string_view ending =
      NameOf(file) == name ? ExtensionOf(name) : EndingBehindStem(name, NameOf(file));
  return KeyOf(image) + std::string(ending);
}

std::string MemberOfPartner(const ListedFile& image, std::string_view folder, std::string_view partner) {
  return KeyOf(image) + "." + std::string(folder) + std::string(ExtensionOf(partner));
}

class PackOperation::Task final : public ItemTask {
 public:
  Task(const PackOperation& operation, const Item& item) : operation_(operation), item_(item) {}
  Status Map(const Region&) override { return {}; }
  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<PackPayload>();
    const auto add = [&](const SourceFile& file, std::string member, bool sidecar = false) {
      payload->image.files.push_back(
          {file.path, std::move(member), file.content, static_cast<uint64_t>(file.stamp.size), sidecar,
           static_cast<int>(file.header.width), static_cast<int>(file.header.height), file.header.bands});
    };
    add(item_.main, MemberOf(item_.main));
    for (size_t i = 0; i < item_.partners.size(); ++i)
      add(item_.partners[i],
          MemberOfPartner(item_.file, operation_.pairs_.folders[i], item_.partners[i].path));
    for (const SourceFile& sidecar : item_.sidecars) add(sidecar, MemberOf(sidecar), true);
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  std::string MemberOf(const SourceFile& file) const {
    const std::string& image = item_.file.relative;
    if (!operation_.by_prefix_) return MemberOfImage(item_.file, file.path);
    return image.substr(0, image.size() - NameOf(image).size()) + std::string(NameOf(file.path));
  }

  const PackOperation& operation_;
  const Item& item_;
};

PackOperation::PackOperation(bool by_prefix, const std::vector<std::string>& sidecars, PackedPairs& pairs)
    : Operation({"pack", "pack/1"}), by_prefix_(by_prefix), finder_(sidecars), pairs_(pairs) {}

Result<std::vector<std::string>> PackOperation::FindPartners(const ListedFile& file) {
  return TakePartners(pairs_.indexes, file, "--pair takes the folder of other images");
}

std::vector<std::string> PackOperation::FindSidecars(const ListedFile& file) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& image) {
    for (Sidecar& sidecar : finder_.Of(image)) {
      if (std::find(paths.begin(), paths.end(), sidecar.path) == paths.end())
        paths.push_back(std::move(sidecar.path));
    }
  };
  add(file.path);
  // a.txt belongs to all of a.hq.png and a.lq.png.
  if (const auto key = by_prefix_ ? SampleKey(file.path) : std::nullopt)
    add(std::string(*key) +
        file.path.substr(file.path.size() - NameOf(file.path).size() + StemOf(NameOf(file.path)).size()));
  return paths;
}

Result<ItemPlan> PackOperation::Plan(const Item& item) const {
  if (!SampleKey(item.file.relative))
    return Error{Stage::kWrite, Code::kUnsupported,
                 "its name has no extension, and readers of WebDataset would pass over it: rename it"};
  return ItemPlan::WithoutPixels({});
}

Result<std::unique_ptr<ItemTask>> PackOperation::Start(const Item& item, const ItemPlan&) {
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
}

void PackOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  PackedImage& image = static_cast<PackPayload&>(*outcome.payload).image;
  image.file = outcome.file;
  image.files.front().index = static_cast<int64_t>(outcome.file.index);
  for (const PackedFile& file : image.files) largest_ = std::max(largest_, file.bytes);
  images_.Add(image);
}

}  // namespace imgmill
