// The lines and JSON objects of what dedup found.
#include "found_duplicates.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "dedup_links.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Bits as they are; of vectors six digits, beyond which they are rounding.
nlohmann::ordered_json DistanceJson(double distance, bool by_vectors) {
  if (!by_vectors) return std::lround(distance);
  return std::round(distance * 1e6) / 1e6;
}

/// The same for people: never as 3.3e-05.
std::string DistanceText(double distance, bool by_vectors) {
  if (!by_vectors) return std::to_string(std::lround(distance));
  char text[64];
  std::snprintf(text, sizeof text, "%.6f", std::abs(distance));
  std::string trimmed = text;
  trimmed.erase(trimmed.find_last_not_of('0') + 1);
  if (trimmed.back() == '.') trimmed.pop_back();
  return trimmed;
}

nlohmann::ordered_json ImageJson(const DedupEntry& entry, nlohmann::ordered_json distance, bool identical) {
  return {{"path", PrintablePath(entry.file.path)},
          {"distance", std::move(distance)},
          {"identical", identical},
          {"bytes", entry.bytes},
          {"width", entry.width},
          {"height", entry.height}};
}

double ShownPart(const SecondLook& look) {
  return static_cast<double>(look.right - look.left) * static_cast<double>(look.bottom - look.top);
}

/// The part of the keeper that a duplicate shows, in its pixels.
nlohmann::ordered_json CropJson(const SecondLook& look, const DedupEntry& keeper) {
  const auto pixels = [](float part, int64_t side) {
    return std::llround(static_cast<double>(part) * static_cast<double>(side));
  };
  const int64_t left = pixels(look.left, keeper.width), top = pixels(look.top, keeper.height);
  return {{"x", left},
          {"y", top},
          {"width", pixels(look.right, keeper.width) - left},
          {"height", pixels(look.bottom, keeper.height) - top}};
}

}  // namespace

std::string FoundDuplicates::SizeText(const DedupEntry& entry) {
  return std::to_string(entry.width) + "x" + std::to_string(entry.height);
}

std::string FoundDuplicates::HowNear(const DuplicateGroups::Member& member) const {
  std::string how = "distance " + DistanceText(member.distance, evidence_.by_vectors);
  if (!evidence_.aligned) return how;
  char text[64];
  std::snprintf(text, sizeof text, ", difference %.3f", member.look.difference);
  return how + text;
}

std::string FoundDuplicates::How(const DuplicateGroups::Member& member, const DedupEntry& entry,
                                 const DedupEntry& keeper) const {
  const std::string how = HowAlike(member, entry, keeper);
  return member.link == DuplicateLink::kNone ? how : how + ", " + std::string(ToString(member.link));
}

std::string FoundDuplicates::HowAlike(const DuplicateGroups::Member& member, const DedupEntry& entry,
                                      const DedupEntry& keeper) const {
  if (entry.content == keeper.content) return "same bytes";
  if (!member.by_look) return "same pixels";
  std::string how = HowNear(member);
  if (member.via != DuplicateMember::kKeeper) {
    const Result<DedupEntry> via = entries_.At(member.via);
    return via ? how + ", like " + PrintablePath(via->file.path) : how;
  }
  if (member.pose != 0) how += ", " + std::string(PoseText(static_cast<int>(member.pose)));
  if (!evidence_.aligned) return how;
  char text[64];
  const double percent = 100 * ShownPart(member.look);
  if (percent < 99) {
    std::snprintf(text, sizeof text, ", shows %.0f %% of it", percent);
    how += text;
  }
  return how;
}

Status FoundDuplicates::PutText(const TextSink& put) const {
  const auto put_keeper = [&](const DuplicateGroups::Group& group, const DedupEntry& keeper) -> Status {
    std::string weakest = TRY(WeakestText(group));
    if (!weakest.empty()) weakest = "; " + weakest;
    return put("keep " + PrintablePath(keeper.file.path) + "  (" + SizeText(keeper) + ", by " +
               std::string(ToString(group.reason)) + weakest + ")\n");
  };
  const auto put_member = [&](const DuplicateGroups::Member& member, const DedupEntry& entry,
                              const DedupEntry& keeper) {
    return put("  dup " + PrintablePath(entry.file.path) + "  (" + SizeText(entry) + ", " +
               How(member, entry, keeper) + ")\n");
  };
  TRY(ForEach(put_keeper, put_member));
  if (evidence_.least_quality == 0) return {};
  return ForEachWeak([&](const DedupEntry& entry) {
    return put("weak " + PrintablePath(entry.file.path) + "  (PDQ quality " + std::to_string(entry.quality) +
               ": compared by its pixels only)\n");
  });
}

Result<size_t> FoundDuplicates::WeakImages() const {
  size_t count = 0;
  TRY(ForEachWeak([&](const DedupEntry&) {
    ++count;
    return Status();
  }));
  return count;
}

Status FoundDuplicates::PutWeakImages(JsonElements& elements) const {
  return ForEachWeak([&](const DedupEntry& entry) {
    return elements.Put(nlohmann::ordered_json(
        {{"path", PrintablePath(entry.file.path)}, {"quality", static_cast<int>(entry.quality)}}));
  });
}

Status FoundDuplicates::PutGroups(JsonElements& elements) const {
  return ForEachGroup([&](const DuplicateGroups::Group& group, const DedupEntry& keeper) {
    return PutGroup(group, keeper, elements);
  });
}

nlohmann::ordered_json FoundDuplicates::MemberJson(const DuplicateGroups::Member& member,
                                                   const DedupEntry& entry, const DedupEntry& keeper,
                                                   bool aligned) const {
  nlohmann::ordered_json image =
      ImageJson(entry, DistanceJson(member.distance, evidence_.by_vectors), entry.content == keeper.content);
  if (member.link != DuplicateLink::kNone) image["link"] = ToString(member.link);
  if (member.via != DuplicateMember::kKeeper) {
    const Result<DedupEntry> via = entries_.At(member.via);
    if (via) image["like"] = PrintablePath(via->file.path);
  }
  const bool of_keeper = member.via == DuplicateMember::kKeeper;
  if (!aligned && of_keeper && member.pose != 0) image["pose"] = PoseName(static_cast<int>(member.pose));
  if (!aligned) return image;
  image["aligned_difference"] = std::round(member.look.difference * 1e4) / 1e4;
  if (member.look.colours >= 0) {
    image["colour_difference"] = std::round(member.look.colours * 10) / 10;
    image["changed"] = std::round(member.look.changed * 1e3) / 1e3;
  }
  if (!of_keeper) return image;
  image["crop"] = CropJson(member.look, keeper);
  if (member.pose != 0) image["pose"] = PoseName(static_cast<int>(member.pose));
  return image;
}

Result<std::string> FoundDuplicates::WeakestText(const DuplicateGroups::Group& group) const {
  if (group.count < 2) return std::string();
  const WeakestPair pair = groups_->WeakestOf(group);
  const DedupEntry first = TRY(entries_.At(pair.first));
  const DedupEntry second = TRY(entries_.At(pair.second.index));
  if (first.content == second.content || !pair.second.by_look) return std::string();  // all are the same
  return "weakest link: " + PrintablePath(first.file.path) + " and " + PrintablePath(second.file.path) +
         ", " + HowNear(pair.second);
}

Result<nlohmann::ordered_json> FoundDuplicates::WeakestJson(const DuplicateGroups::Group& group) const {
  const WeakestPair pair = groups_->WeakestOf(group);
  const DedupEntry first = TRY(entries_.At(pair.first));
  const DedupEntry second = TRY(entries_.At(pair.second.index));
  nlohmann::ordered_json json = {
      {"between", {PrintablePath(first.file.path), PrintablePath(second.file.path)}},
      {"distance", DistanceJson(pair.second.distance, evidence_.by_vectors)}};
  if (Aligned(pair.second)) json["aligned_difference"] = std::round(pair.second.look.difference * 1e4) / 1e4;
  return json;
}

Status FoundDuplicates::PutGroup(const DuplicateGroups::Group& group, const DedupEntry& keeper,
                                 JsonElements& elements) const {
  JsonObject json;
  json["keeper"] = PrintablePath(keeper.file.path);
  json["reason"] = ToString(group.reason);
  json["weakest_link"] = TRY(WeakestJson(group));
  json.SetRows("images", [&](JsonElements& images) -> Status {
    TRY(images.Put(ImageJson(keeper, DistanceJson(0, evidence_.by_vectors), true)));
    return ForEachMember(
        group, keeper,
        [&](const DuplicateGroups::Member& member, const DedupEntry& entry, const DedupEntry& kept) {
          return images.Put(MemberJson(member, entry, kept, Aligned(member)));
        });
  });
  return elements.Put(json);
}

Status FoundDuplicates::PassOnKept(const CommandServices& services, CommandResult& result) const {
  uint64_t of_reference = 0;
  TRY(ForEachKept([&](const DedupEntry& entry) {
    if (!entry.in_reference) return result.kept.Add(entry.file);
    ++of_reference;
    result.MarkDropped(services, entry.file, [] { return std::string("of the reference"); });
  }));
  result.kept_images -= of_reference;
  result.dropped += of_reference;
  if (of_reference > 0)
    result.summary += "; " +
                      Counted(of_reference, "image of the reference is", "images of the reference are") +
                      " not passed on";
  return {};
}

}  // namespace imgmill
