// Nothing is decoded: header, digest and side-cars are what the engine finds out anyway.
#include "pack_operation.h"

#include <algorithm>

#include "base/path_parts.h"

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

std::string MemberOfImage(const ListedFile& image, std::string_view file) {
  const std::string_view name = NameOf(image.relative), stem = StemOf(name);
  const std::string folder = image.relative.substr(0, image.relative.size() - name.size());
  const std::string_view ending =
      NameOf(file) == name ? name.substr(stem.size()) : EndingBehindStem(name, NameOf(file));
  std::string member = folder;
  for (const char c : image.clash == NameClash::kNone ? stem : name) {
    if (c == '.') {
      member += "%2E";
    } else {
      member += c;
    }
  }
  return member + std::string(ending);
}

class PackOperation::Task final : public ItemTask {
 public:
  Task(bool by_prefix, const Item& item) : by_prefix_(by_prefix), item_(item) {}
  Status Map(const Region&) override { return {}; }
  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<PackPayload>();
    const std::string& image = item_.file.relative;
    const std::string folder = image.substr(0, image.size() - NameOf(image).size());
    const auto add = [&](const SourceFile& file) {
      payload->image.files.push_back(
          {file.path,
           by_prefix_ ? folder + std::string(NameOf(file.path)) : MemberOfImage(item_.file, file.path),
           file.content, static_cast<uint64_t>(file.stamp.size)});
    };
    add(item_.main);
    for (const SourceFile& sidecar : item_.sidecars) add(sidecar);
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  const bool by_prefix_;
  const Item& item_;
};

PackOperation::PackOperation(bool by_prefix, const std::vector<std::string>& sidecars)
    : Operation({"pack", "pack/2"}), by_prefix_(by_prefix), finder_(sidecars) {}

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
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(by_prefix_, item));
}

void PackOperation::Collect(Outcome& outcome) {
  if (outcome.state != Outcome::State::kDone) return;
  PackedImage& image = static_cast<PackPayload&>(*outcome.payload).image;
  image.file = outcome.file;
  images_.Add(image);
}

}  // namespace imgmill
