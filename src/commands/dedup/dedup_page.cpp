// Goes over the groups three times: their files, what is told of them, their pictures.
#include "dedup_page.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/try.h"
#include "commands/export_target.h"
#include "commands/page_failures.h"
#include "commands/page_pictures.h"
#include "decisions_file.h"
#include "dedup_poses.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"
#include "imgmill/report/group_page.h"
#include "imgmill/report/report_page.h"

namespace imgmill {
namespace {

GroupImage Described(const DedupEntry& entry, const std::string& page_folder) {
  GroupImage image;
  image.path = PrintablePath(entry.file.path);
  image.link = LinkFrom(page_folder, entry.file.path);
  image.width = entry.width;
  image.height = entry.height;
  image.bytes = entry.bytes;
  image.identity = DecidedFile{entry.file.path, entry.file.relative, entry.stamp, entry.content}.Identity();
  image.fixed = entry.in_reference;
  image.is_link = entry.is_link;
  struct stat there = {};
  if (::lstat(entry.file.path.c_str(), &there) == 0 && !entry.is_link)
    image.names = static_cast<uint64_t>(there.st_nlink);
  return image;
}

class DedupPage {
 public:
  DedupPage(const std::string& file, const FoundDuplicates& found, size_t refused,
            const PagePictures& pictures, PageFailures failed)
      : page_folder_(FolderOfPage(file)),
        found_(found),
        refused_(refused),
        pictures_(pictures),
        failed_(std::move(failed)) {}

  Status Write(const TextSink& put) const {
    std::error_code none;
    GroupPageWriter page(
        {"imgmill dedup", true, PrintablePath(std::filesystem::current_path(none).string()), failed_}, put);
    TRY(page.Begin());
    RunningDigest id;
    const auto each = [&](const DuplicateGroups::Group& group, const DedupEntry& keeper) {
      return PutGroup(group, keeper, page, id);
    };
    TRY(found_.ForEachGroup(each));
    TRY(found_.ForEachRefused(
        refused_, [&](const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper) {
          return PutRefused(pair, entry, keeper, page);
        }));
    return page.End(id.Finish().Hex());
  }

 private:
  /// What it shows is decided elsewhere, if at all: it has no part in the page's id.
  Status PutRefused(const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper,
                    GroupPageWriter& page) const {
    GroupImage other = Described(entry, page_folder_);
    other.how = found_.WhyRefused(pair, entry, keeper);
    if (pair.laid && found_.Aligned(pair.member)) Lay(pair.member, other);
    TRY(page.BeginGroup("refused: near, but not the same", /*refused=*/true));
    TRY(page.Image(Described(keeper, page_folder_)));
    TRY(page.Image(other));
    TRY(page.EndImages());
    TRY(page.Picture(pictures_.Of(keeper.content).jpeg));
    TRY(page.Picture(pictures_.Of(entry.content).jpeg));
    return page.EndGroup();
  }

  static void Lay(const DuplicateGroups::Member& member, GroupImage& image) {
    image.far = member.look.difference;
    image.box = {member.look.left, member.look.top, member.look.right, member.look.bottom};
    image.pose = PoseBack(static_cast<int>(member.pose));
  }

  Status PutGroup(const DuplicateGroups::Group& group, const DedupEntry& keeper, GroupPageWriter& page,
                  RunningDigest& id) const {
    const auto put_image = [&](const GroupImage& image) {
      const std::string text = image.path + "\n" + image.identity.dump() + "\n";
      id.Add(text.data(), text.size());
      return page.Image(image);
    };
    const auto put_member = [&](const auto& member, const DedupEntry& entry, const DedupEntry&) {
      return put_image(Compared(member, entry, keeper));
    };
    const auto put_picture = [&](const auto&, const DedupEntry& entry, const DedupEntry&) {
      return page.Picture(pictures_.Of(entry.content).jpeg);
    };
    TRY(page.BeginGroup("kept by " + std::string(ToString(group.reason))));
    TRY(put_image(Described(keeper, page_folder_)));
    TRY(found_.ForEachMember(group, keeper, put_member));
    TRY(page.EndImages());
    TRY(page.Picture(pictures_.Of(keeper.content).jpeg));
    TRY(found_.ForEachMember(group, keeper, put_picture));
    return page.EndGroup();
  }

  GroupImage Compared(const DuplicateGroups::Member& member, const DedupEntry& entry,
                      const DedupEntry& keeper) const {
    GroupImage image = Described(entry, page_folder_);
    image.how = found_.How(member, entry, keeper);
    image.far = member.distance;
    if (found_.Aligned(member)) Lay(member, image);
    return image;
  }

  const std::string page_folder_;
  const FoundDuplicates& found_;
  const size_t refused_;
  const PagePictures& pictures_;
  const PageFailures failed_;
};

}  // namespace

Status WriteDedupPage(const std::string& file, const FoundDuplicates& found, size_t refused,
                      const CommandServices& services, CommandResult& result) {
  const PagePictures pictures(found.groups() + found.duplicates() + 2 * found.listed_refused(refused),
                              services);
  FileTable files;
  const auto add = [&](const DedupEntry& entry) {
    files.Add(entry.file);
    return Status();
  };
  TRY(found.ForEach([&](const DuplicateGroups::Group&, const DedupEntry& keeper) { return add(keeper); },
                    [&](const auto&, const DedupEntry& entry, const DedupEntry&) { return add(entry); }));
  TRY(found.ForEachRefused(refused, [&](const auto&, const DedupEntry& entry, const DedupEntry& keeper) {
    files.Add(keeper.file);
    return add(entry);
  }));
  TRY(pictures.Make(files, result));
  if (result.counts.interrupted) return {};
  PageFailures failed = TRY(PageFailuresOf(result.failed));
  const DedupPage page(file, found, refused, pictures, std::move(failed));
  if (Status written = WriteNamedFile(file, [&](const TextSink& put) { return page.Write(put); }); !written)
    return OfTarget("--html", file, written.error());
  result.details["html"] = PrintablePath(file);
  return {};
}

}  // namespace imgmill
