// Goes over the groups three times: their files, what is told of them, their pictures.
#include "dedup_page.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/try.h"
#include "commands/export_target.h"
#include "commands/page_failures.h"
#include "decisions_file.h"
#include "dedup_links.h"
#include "dedup_poses.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/dataset/running_digest.h"
#include "imgmill/report/group_page.h"
#include "imgmill/report/report_page.h"

namespace imgmill {
namespace {

class PageBody {
 public:
  PageBody(const std::string& file, const FoundDuplicates& found, size_t refused,
           const PagePictures& pictures, const DedupPage::Acted& acted, LinkedPlaces links,
           PageFailures failed)
      : page_folder_(FolderOfPage(file)),
        found_(found),
        refused_(refused),
        pictures_(pictures),
        acted_(acted),
        links_(std::move(links)),
        failed_(std::move(failed)) {}

  Status Write(const TextSink& put) const {
    std::error_code none;
    GroupPageWriter page({"imgmill dedup", true, acted_.word,
                          PrintablePath(std::filesystem::current_path(none).string()), failed_},
                         put);
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
  GroupImage Described(const DedupEntry& entry) const {
    const std::string path = acted_.places.PathOf(entry.file);
    GroupImage image;
    image.path = PrintablePath(path);
    image.done = acted_.places.WasDone(entry.file);
    image.gone = !acted_.word.empty() && acted_.places.IsGone(entry.file);
    if (!image.gone) image.link = LinkFrom(page_folder_, path);
    if (path != entry.file.path) image.was = PrintablePath(entry.file.path);
    image.width = entry.width;
    image.height = entry.height;
    image.bytes = entry.bytes;
    image.identity = DecidedFile{entry.file.path, entry.file.relative, entry.stamp, entry.content}.Identity();
    image.fixed = entry.in_reference;
    for (const std::string& link : links_.LinksTo(path)) image.linked_by.push_back(PrintablePath(link));
    struct stat there = {};
    const bool found = ::lstat(path.c_str(), &there) == 0;
    image.is_link = entry.is_link || (image.done && found && S_ISLNK(there.st_mode));
    if (found && !image.is_link) image.names = static_cast<uint64_t>(there.st_nlink);
    return image;
  }

  /// What it shows is decided elsewhere, if at all: it has no part in the page's id.
  Status PutRefused(const RefusedMember& pair, const DedupEntry& entry, const DedupEntry& keeper,
                    GroupPageWriter& page) const {
    GroupImage other = Described(entry);
    other.how = found_.WhyRefused(pair, entry, keeper);
    if (pair.laid && found_.Aligned(pair.member)) Lay(pair.member, other);
    TRY(page.BeginGroup("refused: near, but not the same", /*refused=*/true));
    TRY(page.Image(Described(keeper)));
    TRY(page.Image(other));
    TRY(page.EndImages());
    TRY(PutPicture(keeper.content, page));
    TRY(PutPicture(entry.content, page));
    return page.EndGroup();
  }

  Status PutPicture(const ContentDigest& content, GroupPageWriter& page) const {
    return page.Picture(content.Hex(), pictures_.Of(content).jpeg);
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
      return PutPicture(entry.content, page);
    };
    std::string weakest = TRY(found_.WeakestText(group));
    if (!weakest.empty()) weakest = "; " + weakest;
    TRY(page.BeginGroup("kept by " + std::string(ToString(group.reason)) + weakest));
    TRY(put_image(Described(keeper)));
    TRY(found_.ForEachMember(group, keeper, put_member));
    TRY(page.EndImages());
    TRY(PutPicture(keeper.content, page));
    TRY(found_.ForEachMember(group, keeper, put_picture));
    return page.EndGroup();
  }

  GroupImage Compared(const DuplicateGroups::Member& member, const DedupEntry& entry,
                      const DedupEntry& keeper) const {
    GroupImage image = Described(entry);
    image.how = found_.How(member, entry, keeper);
    image.far = member.distance;
    if (!found_.Aligned(member)) {  // turned back all the same; where it lies on the keeper is not known
      if (member.via == DuplicateMember::kKeeper) image.pose = PoseBack(static_cast<int>(member.pose));
      return image;
    }
    if (member.via == DuplicateMember::kKeeper) {
      Lay(member, image);
    } else {
      image.far = member.look.difference;
    }
    return image;
  }

  const std::string page_folder_;
  const FoundDuplicates& found_;
  const size_t refused_;
  const PagePictures& pictures_;
  const DedupPage::Acted& acted_;
  const LinkedPlaces links_;
  const PageFailures failed_;
};

}  // namespace

Status DedupPage::MakePictures(CommandResult& result) const {
  FileTable files;
  const auto add = [&](const DedupEntry& entry) {
    files.Add(entry.file);
    return Status();
  };
  TRY(found_.ForEach([&](const DuplicateGroups::Group&, const DedupEntry& keeper) { return add(keeper); },
                     [&](const auto&, const DedupEntry& entry, const DedupEntry&) { return add(entry); }));
  TRY(found_.ForEachRefused(refused_, [&](const auto&, const DedupEntry& entry, const DedupEntry& keeper) {
    files.Add(keeper.file);
    return add(entry);
  }));
  return pictures_.Make(files, result);
}

Status DedupPage::Write(const std::string& file, const Acted& acted, CommandResult& result) const {
  PageFailures failed = TRY(PageFailuresOf(result.failed));
  LinkedPlaces links;  // once something was done, there is nothing to decide by them
  if (acted.word.empty()) {
    LinkedPlaces in_groups = TRY(LinkedPlaces::InGroups(found_.entries(), found_.all()));
    links = std::move(in_groups);
  }
  const PageBody page(file, found_, refused_, pictures_, acted, std::move(links), std::move(failed));
  if (Status written = WriteNamedFile(file, [&](const TextSink& put) { return page.Write(put); }); !written)
    return OfTarget("--html", file, written.error());
  result.details["html"] = PrintablePath(file);
  return {};
}

}  // namespace imgmill
